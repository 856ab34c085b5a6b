-- triggers of the product that fire when somebody writes to one of these tables or their partitions; one row for each name of them
SELECT DISTINCT t.tgname || ' of ' || n.nspname || '.' || c.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
-- the tree of a table without partitions is empty
JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid OR t.tgrelid IN (SELECT p.relid FROM pg_catalog.pg_partition_tree(c.oid) p)
WHERE n.nspname || '.' || c.relname = ANY (?) AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
ORDER BY 1
