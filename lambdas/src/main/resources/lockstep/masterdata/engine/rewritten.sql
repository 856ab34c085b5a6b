-- Whether the table, or one of its partitions, is not what it was at the transaction's snapshot: TRUNCATE, and ALTER TABLE where it rewrites,
-- leave an older snapshot nothing to read, and no error. pg_class and pg_inherits are read as of the snapshot, the functions know what is now.
WITH RECURSIVE tree(oid) AS (SELECT {table}::regclass::oid UNION ALL SELECT i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid)
SELECT count(*) FILTER (WHERE c.relfilenode IS DISTINCT FROM coalesce(pg_relation_filenode(t.oid), 0)) > 0
       OR (SELECT count(*) FROM pg_partition_tree({table})) NOT IN (0, count(*))
FROM tree t LEFT JOIN pg_class c USING (oid)
