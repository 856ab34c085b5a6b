-- For each table: the files of the table and its partitions, with hashes of its columns' names and of all enum labels, because renaming either
-- changes how values read; how many rows the server counts as written, in total and by this transaction; how many it counts as inserted into
-- Lockstep's own lockstep.applied_table, which no one else writes; and whether the server counts at all.
WITH labels AS (
  SELECT md5(coalesce(string_agg(e.oid || ':' || e.enumlabel, ' ' ORDER BY e.oid), '')) AS digest FROM pg_enum e
), counting AS (
  SELECT current_setting('track_counts')::boolean AND NOT EXISTS (
    -- no session may have counting switched off by its role or database
    SELECT FROM pg_db_role_setting s, unnest(s.setconfig) AS setting
    WHERE s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
      AND setting LIKE 'track\_counts=%' AND NOT split_part(setting, '=', 2)::boolean) AS counts
), own AS (
  SELECT pg_stat_get_tuples_inserted(o.oid) + pg_stat_get_xact_tuples_inserted(o.oid) AS inserted FROM (SELECT to_regclass('lockstep.applied_table')::oid) o(oid)
)
SELECT w.name,
       string_agg(f.oid || ':' || f.relfilenode, ' ' ORDER BY f.oid)
         || ' ' || (SELECT md5(string_agg(a.attnum || ':' || a.attname, ' ' ORDER BY a.attnum)) FROM pg_attribute a
                    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
         || ' ' || (SELECT digest FROM labels),
       sum(pg_stat_get_tuples_inserted(f.oid) + pg_stat_get_tuples_updated(f.oid) + pg_stat_get_tuples_deleted(f.oid)),
       sum(pg_stat_get_xact_tuples_inserted(f.oid) + pg_stat_get_xact_tuples_updated(f.oid) + pg_stat_get_xact_tuples_deleted(f.oid)),
       (SELECT inserted FROM own),
       (SELECT counts FROM counting)
FROM unnest(?::text[], ?::text[], ?::text[]) AS w(name, schema, relation)
JOIN pg_namespace n ON n.nspname = w.schema
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.relation
-- pg_partition_tree returns no rows for a table that is not partitioned
CROSS JOIN LATERAL (SELECT c.oid UNION SELECT p.relid FROM pg_partition_tree(c.oid) p) r(oid)
JOIN pg_class f ON f.oid = r.oid
GROUP BY w.name, c.oid
