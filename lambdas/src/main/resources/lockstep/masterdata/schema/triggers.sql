-- triggers of the product that fire on INSERT, UPDATE or DELETE on these relations or their partitions; one row each
SELECT DISTINCT ON (c.oid, t.tgname) c.oid AS relation, t.tgname AS name, l.lanname AS language, f.proname AS function, f.prosrc AS source,
       -- bits of tgtype: 0 for each row, 1 before, 2 INSERT, 4 UPDATE
       (t.tgtype & 3) = 3 AND (t.tgtype & 20) <> 0 AS may_change_rows, (t.tgtype & 4) <> 0 AS inserts,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.tgrelid AND a.attnum = ANY (t.tgattr)) AS of_columns,
       pg_catalog.encode(t.tgargs, 'escape') AS arguments,
       CASE WHEN t.tgqual IS NOT NULL THEN substring(pg_catalog.pg_get_triggerdef(t.oid) FROM ' WHEN \((.*)\) EXECUTE (FUNCTION|PROCEDURE) ') END AS condition
FROM pg_catalog.pg_class c
-- pg_partition_tree returns no rows for a table that is not partitioned
JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid OR t.tgrelid IN (SELECT p.relid FROM pg_catalog.pg_partition_tree(c.oid) p)
JOIN pg_catalog.pg_proc f ON f.oid = t.tgfoid
JOIN pg_catalog.pg_language l ON l.oid = f.prolang
WHERE c.oid = ANY (?::oid[]) AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND (t.tgtype & 28) <> 0
ORDER BY c.oid, t.tgname, t.tgrelid <> c.oid
