-- rows of a table and its partitions that the transaction at hand has updated or deleted so far, NULL when the server does not count; and their
-- files, which TRUNCATE replaces
SELECT CASE WHEN current_setting('track_counts')::boolean THEN sum(pg_stat_get_xact_tuples_updated(r.oid) + pg_stat_get_xact_tuples_deleted(r.oid)) END,
       string_agg(pg_relation_filenode(r.oid)::text, ' ' ORDER BY r.oid)
FROM (SELECT ?::regclass::oid) t(oid)
-- the tree of a table without partitions is empty
CROSS JOIN LATERAL (SELECT t.oid UNION SELECT p.relid FROM pg_partition_tree(t.oid) p) r(oid)
