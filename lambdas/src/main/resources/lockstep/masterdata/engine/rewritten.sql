-- Whether the table or one of its partitions was truncated or rewritten, or its partitions changed, since the transaction's snapshot. After
-- TRUNCATE, or an ALTER TABLE that rewrites, an older snapshot sees an empty table without any error. pg_class and pg_inherits are read as of
-- the snapshot; pg_relation_filenode and pg_partition_tree return the current state.
WITH RECURSIVE tree(oid) AS (SELECT {table}::regclass::oid UNION ALL SELECT i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid)
SELECT count(*) FILTER (WHERE c.relfilenode IS DISTINCT FROM coalesce(pg_relation_filenode(t.oid), 0)) > 0
       OR (SELECT count(*) FROM pg_partition_tree({table})) NOT IN (0, count(*))
FROM tree t LEFT JOIN pg_class c USING (oid)
