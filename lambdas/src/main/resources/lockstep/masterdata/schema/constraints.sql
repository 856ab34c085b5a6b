-- check, exclusion and foreign key constraints of these relations
SELECT k.conrelid AS relation, k.conname AS name, k.contype::text AS kind,
       regexp_replace(pg_catalog.pg_get_constraintdef(k.oid), '( NO INHERIT| NOT VALID)+$', '') AS definition,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) ORDER BY a.attnum) AS columns,
       pc.relname AS referred, pn.nspname AS referred_schema
FROM pg_catalog.pg_constraint k
LEFT JOIN pg_catalog.pg_class pc ON pc.oid = coalesce(pg_catalog.pg_partition_root(nullif(k.confrelid, 0::oid)), nullif(k.confrelid, 0::oid))
LEFT JOIN pg_catalog.pg_namespace pn ON pn.oid = pc.relnamespace
WHERE k.conrelid = ANY (?::oid[]) AND k.contype IN ('c', 'x', 'f') AND k.conparentid = 0
ORDER BY k.conrelid, k.conname
