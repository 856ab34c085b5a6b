-- sequences that columns of these relations own or use in their default; one row each
SELECT a.attrelid AS relation, a.attname AS name, s.relname AS sequence, n.nspname AS sequence_schema,
       q.seqincrement AS increment, q.seqmax AS maximum
FROM (
  SELECT d.refobjid AS relation, d.refobjsubid AS attnum, d.objid AS sequence
  FROM pg_catalog.pg_depend d
  WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('a', 'i')
  UNION
  SELECT f.adrelid, f.adnum, d.refobjid
  FROM pg_catalog.pg_attrdef f
  JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = f.oid AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
) AS u
JOIN pg_catalog.pg_attribute a ON a.attrelid = u.relation AND a.attnum = u.attnum
JOIN pg_catalog.pg_class s ON s.oid = u.sequence AND s.relkind = 'S'
JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid
WHERE u.relation = ANY (?::oid[])
ORDER BY a.attrelid, a.attnum, s.oid
