-- the columns of ordinary and partitioned tables, in their order; one row each
SELECT w.name, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated <> '',
       a.atthasdef OR a.attidentity <> '', a.attidentity = 'a',
       EXISTS (SELECT FROM pg_type y WHERE y.oid = a.atttypid AND y.typtype = 'd'),
       -- whether tables that are not its partitions inherit from it
       c.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid)
FROM unnest(?::text[], ?::text[], ?::text[]) AS w(name, schema, relation)
JOIN pg_namespace n ON n.nspname = w.schema
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.relation AND c.relkind IN ('r', 'p')
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY w.name, a.attnum
