-- whether rows can be deleted and inserted again in one statement without side effects: no trigger of the product fires, and no
-- foreign key has an ON DELETE other than NO ACTION
SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE (tgrelid = t.oid OR tgrelid IN (SELECT p.relid FROM pg_catalog.pg_partition_tree(t.oid) p)) AND NOT tgisinternal AND tgenabled IN ('O', 'A'))
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE coalesce(pg_catalog.pg_partition_root(confrelid), confrelid) = t.oid AND contype = 'f' AND confdeltype <> 'a')
FROM (SELECT {table}::regclass AS oid) t
