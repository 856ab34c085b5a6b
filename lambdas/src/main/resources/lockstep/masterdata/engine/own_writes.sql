-- how many rows of a table and its partitions this transaction has updated or deleted so far, NULL when the server does not count; and their
-- files, which TRUNCATE replaces
SELECT CASE WHEN current_setting('track_counts')::boolean THEN sum(pg_stat_get_xact_tuples_updated(r.oid) + pg_stat_get_xact_tuples_deleted(r.oid)) END,
       string_agg(pg_relation_filenode(r.oid)::text, ' ' ORDER BY r.oid)
FROM (SELECT ?::regclass::oid) t(oid)
-- pg_partition_tree returns no rows for a table that is not partitioned
CROSS JOIN LATERAL (SELECT t.oid UNION SELECT p.relid FROM pg_partition_tree(t.oid) p) r(oid)
