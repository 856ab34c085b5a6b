-- size on disk; pg_partition_tree returns no rows for a table that is not partitioned
SELECT sum(pg_table_size(c.oid)) FROM pg_class c
WHERE c.oid = {table}::regclass OR c.oid IN (SELECT p.relid FROM pg_partition_tree({table}) p)
