-- foreign keys that refer to these relations; one row each
SELECT f.conname AS name, f.conrelid AS child, cn.nspname AS child_schema, c.relname AS child_name, p.oid AS parent, f.confupdtype IN ('c', 'n', 'd') AS follows,
       ARRAY(SELECT a.attname::text FROM unnest(f.conkey) WITH ORDINALITY AS k(attnum, n) JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum ORDER BY k.n) AS child_columns,
       ARRAY(SELECT a.attname::text FROM unnest(f.confkey) WITH ORDINALITY AS k(attnum, n) JOIN pg_catalog.pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.attnum ORDER BY k.n) AS parent_columns
FROM pg_catalog.pg_constraint f
JOIN pg_catalog.pg_class c ON c.oid = f.conrelid
JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
JOIN pg_catalog.pg_class p ON p.oid = coalesce(pg_catalog.pg_partition_root(f.confrelid), f.confrelid)
WHERE f.contype = 'f' AND f.conparentid = 0 AND p.oid = ANY (?::oid[]) AND NOT c.oid = ANY (?::oid[])
ORDER BY f.conname
