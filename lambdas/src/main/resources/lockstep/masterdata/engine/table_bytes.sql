-- size on disk; pg_partition_tree returns no rows for a table that is not partitioned
WITH tables AS (SELECT unnest(ARRAY[{tables}]::regclass[]) AS oid)
SELECT sum(pg_table_size(c.oid)) FROM pg_class c
WHERE c.oid IN (SELECT t.oid FROM tables t) OR c.oid IN (SELECT p.relid FROM tables t, pg_partition_tree(t.oid) p)
