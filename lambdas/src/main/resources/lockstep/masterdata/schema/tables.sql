-- the existing relations among these names; one row each, with its position in the list of names
SELECT w.n, c.oid, c.relpersistence = 'u' AS unlogged,
       CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' ELSE 'sequence or index' END AS kind,
       c.relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid) AS parent
FROM unnest(?::text[], ?::text[]) WITH ORDINALITY AS w(schema, name, n)
JOIN pg_catalog.pg_namespace s ON s.nspname = w.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = s.oid AND c.relname = w.name
ORDER BY w.n
