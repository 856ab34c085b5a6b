-- sequences owned by these columns that a role may not advance
SELECT d.refobjid AS relation, n.nspname AS schema, s.relname AS name
FROM unnest(?::oid[], ?::text[]) AS w(relation, name)
JOIN pg_catalog.pg_attribute a ON a.attrelid = w.relation AND a.attname = w.name
JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
  AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('a', 'i')
JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
WHERE NOT (pg_catalog.has_sequence_privilege(?::name, s.oid, 'SELECT') AND pg_catalog.has_sequence_privilege(?::name, s.oid, 'UPDATE'))
ORDER BY 1, 2, 3
