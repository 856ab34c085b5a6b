-- the sequences that columns of these relations own or take their default from; one row each
SELECT DISTINCT ON (a.attrelid, a.attnum, s.oid) a.attrelid AS relation, a.attname AS name, s.relname AS sequence, n.nspname AS sequence_schema, u.owned,
       q.seqincrement AS increment, q.seqmin AS minimum, q.seqmax AS maximum
FROM (
  SELECT d.refobjid AS relation, d.refobjsubid AS attnum, d.objid AS sequence, true AS owned
  FROM pg_catalog.pg_depend d
  WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('a', 'i')
  UNION ALL
  SELECT f.adrelid, f.adnum, d.refobjid, false
  FROM pg_catalog.pg_attrdef f
  JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = f.oid AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
) AS u
JOIN pg_catalog.pg_attribute a ON a.attrelid = u.relation AND a.attnum = u.attnum
JOIN pg_catalog.pg_class s ON s.oid = u.sequence AND s.relkind = 'S'
JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid
WHERE u.relation = ANY (?::oid[])
ORDER BY a.attrelid, a.attnum, s.oid, u.owned DESC
