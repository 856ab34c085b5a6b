-- Foreign keys that refer to these tables; one row each. On purpose this query shares nothing with the merge's own. With ON UPDATE CASCADE the
-- referring columns are expected to change, so only the number of rows can be compared.
SELECT n.nspname, c.relname,
       (SELECT array_agg(a.attname ORDER BY k.n) FROM unnest(f.conkey) WITH ORDINALITY AS k(attnum, n)
          JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum),
       f.confupdtype <> 'c'
FROM pg_constraint f
JOIN pg_class c ON c.oid = f.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE f.contype = 'f' AND f.conparentid = 0
  AND (f.confrelid = ANY (?::regclass[]) OR pg_partition_root(f.confrelid) = ANY (?::regclass[]))
ORDER BY f.conrelid, f.oid
