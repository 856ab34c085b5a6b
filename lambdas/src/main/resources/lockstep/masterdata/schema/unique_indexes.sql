-- the unique indexes of these relations; one row each
SELECT i.indrelid AS relation, x.relname AS name,
       i.indisvalid AND m.amname = 'btree' AS usable,
       CASE WHEN i.indpred IS NULL AND i.indexprs IS NULL THEN ARRAY(
         SELECT a.attname::text FROM unnest(i.indkey[:i.indnkeyatts - 1]) WITH ORDINALITY AS k(attnum, n)
         JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum ORDER BY k.n)
       ELSE ARRAY(
         SELECT a.attname::text FROM pg_catalog.pg_attribute a
         WHERE a.attrelid = i.indrelid AND a.attnum > 0 AND EXISTS (
           SELECT FROM pg_catalog.pg_depend d
           WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = i.indexrelid
             AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = i.indrelid AND d.refobjsubid = a.attnum)
         ORDER BY a.attnum) END AS columns,
       ARRAY(
         SELECT coalesce(pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(l.collname) || CASE WHEN l.collisdeterministic THEN '' ELSE ', not deterministic' END, '')
         FROM unnest(i.indcollation) WITH ORDINALITY AS k(oid, n)
         LEFT JOIN pg_catalog.pg_collation l ON l.oid = k.oid
         LEFT JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace
         ORDER BY k.n) AS collations,
       CASE WHEN i.indpred IS NOT NULL OR i.indexprs IS NOT NULL THEN '(' || array_to_string(ARRAY(
         SELECT pg_catalog.pg_get_indexdef(i.indexrelid, k, false) FROM generate_series(1, i.indnkeyatts::int) AS k ORDER BY k), ', ') || ')'
         || coalesce(' WHERE ' || pg_catalog.pg_get_expr(i.indpred, i.indrelid), '') END AS partial
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_am m ON m.oid = x.relam
WHERE i.indrelid = ANY (?::oid[]) AND i.indisunique AND i.indislive
ORDER BY i.indrelid, x.relname
