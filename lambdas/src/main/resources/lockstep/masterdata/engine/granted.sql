-- tables, views and sequences of the product on which one of the two logins has a table or column privilege; one row each, in REVOKE's syntax
SELECT format('%s %I.%I', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, n.nspname, c.relname)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'lockstep')
CROSS JOIN (SELECT array_agg(r.oid) AS oids FROM pg_roles r WHERE r.rolname IN (?, ?)) login
WHERE EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE a.grantee = ANY (login.oids))
   OR EXISTS (SELECT FROM pg_attribute t CROSS JOIN LATERAL aclexplode(t.attacl) a WHERE t.attrelid = c.oid AND t.attacl IS NOT NULL AND a.grantee = ANY (login.oids))
ORDER BY 1
