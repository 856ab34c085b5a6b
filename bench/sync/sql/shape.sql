-- Keys, checks and indexes of the master tables, which must be the same afterwards. Names may differ.
SELECT c.conrelid::regclass || ' ' || replace(pg_get_constraintdef(c.oid), ' DEFERRABLE', '') FROM pg_constraint c
WHERE c.connamespace = 'master'::regnamespace AND c.conrelid > 0 AND c.convalidated
UNION ALL
SELECT i.indrelid::regclass || ' ' || regexp_replace(pg_get_indexdef(i.indexrelid), 'INDEX \S+ ON', 'INDEX ON') FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'master'::regnamespace AND i.indisvalid
ORDER BY 1
