-- Tables with a column whose text depends on names elsewhere in the catalogue, such as regclass: a rename changes it without a write.
WITH RECURSIVE used(name, type) AS (
  SELECT w.name, a.atttypid
  FROM unnest(?::text[], ?::text[], ?::text[]) AS w(name, schema, relation)
  JOIN pg_namespace n ON n.nspname = w.schema
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.relation
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  UNION
  SELECT u.name, part.type
  FROM used u JOIN pg_type y ON y.oid = u.type
  CROSS JOIN LATERAL (
    SELECT y.typelem UNION ALL SELECT y.typbasetype
    UNION ALL SELECT a.atttypid FROM pg_attribute a WHERE a.attrelid = y.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE y.oid IN (r.rngtypid, r.rngmultitypid)) AS part(type)
  WHERE part.type <> 0
)
SELECT DISTINCT u.name FROM used u JOIN pg_type y ON y.oid = u.type
WHERE y.typnamespace = 'pg_catalog'::regnamespace AND (y.typname LIKE 'reg%' OR y.typname = 'aclitem')
