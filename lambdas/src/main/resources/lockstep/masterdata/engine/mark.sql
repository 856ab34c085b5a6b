-- the files of a table and its partitions, how many rows the server counts as written to them, and how many of this transaction;
-- the same of Lockstep's own record, which no one else writes
SELECT string_agg(c.oid || ':' || c.relfilenode, ' ' ORDER BY c.oid) FILTER (WHERE c.oid <> o.oid),
       sum(pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid)) FILTER (WHERE c.oid <> o.oid),
       sum(pg_stat_get_xact_tuples_inserted(c.oid) + pg_stat_get_xact_tuples_updated(c.oid) + pg_stat_get_xact_tuples_deleted(c.oid)) FILTER (WHERE c.oid <> o.oid),
       sum(pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_xact_tuples_inserted(c.oid)) FILTER (WHERE c.oid = o.oid),
       current_setting('track_counts')::boolean
FROM pg_class c, (SELECT 'lockstep.applied_table'::regclass AS oid) o
-- the tree of a table without partitions is empty
WHERE c.oid = o.oid OR c.oid = {table}::regclass OR c.oid IN (SELECT p.relid FROM pg_partition_tree({table}) p)
