-- triggers of the product that fire when somebody writes to one of these tables or their partitions; one row for each name of them
SELECT DISTINCT t.tgname || ' of ' || w.name
FROM unnest(?::text[], ?::text[], ?::text[]) AS w(name, schema, relation)
JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.relation
-- the tree of a table without partitions is empty
JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid OR t.tgrelid IN (SELECT p.relid FROM pg_catalog.pg_partition_tree(c.oid) p)
WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
ORDER BY 1
