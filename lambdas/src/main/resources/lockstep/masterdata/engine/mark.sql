-- the files of a table and its partitions, with what reads otherwise without a write (columns put in place of others, labels of enums
-- renamed); how many rows the server counts as written to them, and how many of this transaction;
-- the same of Lockstep's own record, which no one else writes
SELECT string_agg(c.oid || ':' || c.relfilenode, ' ' ORDER BY c.oid) FILTER (WHERE c.oid <> o.oid)
         || ' ' || (SELECT md5(string_agg(a.attnum || ':' || a.attname, ' ' ORDER BY a.attnum)) FROM pg_attribute a
                    WHERE a.attrelid = {table}::regclass AND a.attnum > 0 AND NOT a.attisdropped)
         || ' ' || (SELECT md5(coalesce(string_agg(e.oid || ':' || e.enumlabel, ' ' ORDER BY e.oid), '')) FROM pg_enum e),
       sum(pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid)) FILTER (WHERE c.oid <> o.oid),
       sum(pg_stat_get_xact_tuples_inserted(c.oid) + pg_stat_get_xact_tuples_updated(c.oid) + pg_stat_get_xact_tuples_deleted(c.oid)) FILTER (WHERE c.oid <> o.oid),
       sum(pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_xact_tuples_inserted(c.oid)) FILTER (WHERE c.oid = o.oid),
       -- nor may there be sessions whose writes are not counted
       current_setting('track_counts')::boolean AND NOT EXISTS (
         SELECT FROM pg_db_role_setting s, unnest(s.setconfig) AS setting
         WHERE s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
           AND setting LIKE 'track\_counts=%' AND NOT split_part(setting, '=', 2)::boolean)
FROM pg_class c, (SELECT 'lockstep.applied_table'::regclass AS oid) o
-- the tree of a table without partitions is empty
WHERE c.oid = o.oid OR c.oid = {table}::regclass OR c.oid IN (SELECT p.relid FROM pg_partition_tree({table}) p)
