-- check constraints of a table that involve only these columns, as expressions; one row each
SELECT c.conname, pg_catalog.pg_get_expr(c.conbin, c.conrelid)
FROM pg_catalog.pg_constraint c
WHERE c.conrelid = ?::regclass AND c.contype = 'c'
  AND c.conkey <@ (SELECT array_agg(a.attnum) FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.conrelid AND a.attname = ANY (?))
ORDER BY c.conname
