-- triggers of the product that fire on writes to these tables or their partitions; one row for each trigger name and table
SELECT DISTINCT t.tgname || ' of ' || w.name
FROM unnest(?::text[], ?::text[], ?::text[]) AS w(name, schema, relation)
JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.relation
-- pg_partition_tree returns no rows for a table that is not partitioned
JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid OR t.tgrelid IN (SELECT p.relid FROM pg_catalog.pg_partition_tree(c.oid) p)
WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
ORDER BY 1
