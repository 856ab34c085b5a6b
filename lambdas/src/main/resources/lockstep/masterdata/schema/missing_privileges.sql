-- privileges on columns that a role lacks; one row for each relation and privilege
SELECT w.relation, p.privilege, array_agg(a.attname::text ORDER BY a.attnum) AS columns
FROM unnest(?::oid[], ?::text[]) AS w(relation, name)
JOIN pg_catalog.pg_attribute a ON a.attrelid = w.relation AND a.attname = w.name AND NOT a.attisdropped AND a.attgenerated = ''
CROSS JOIN unnest(?::text[]) AS p(privilege)
WHERE NOT pg_catalog.has_column_privilege(?::name, w.relation, a.attnum, p.privilege)
GROUP BY w.relation, p.privilege
ORDER BY w.relation, p.privilege DESC
