-- these relations where row-level security applies to a role, with the policies for it; one row for each policy, and one for a relation without any
SELECT c.oid AS relation, p.polname AS name, p.polcmd::text AS command, p.polpermissive AS permissive,
       pg_catalog.pg_get_expr(p.polqual, p.polrelid) AS visible, pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) AS writable
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_roles r ON r.rolname = ?
LEFT JOIN pg_catalog.pg_policy p ON p.polrelid = c.oid
  AND (0::oid = ANY (p.polroles) OR EXISTS (SELECT FROM unnest(p.polroles) AS m(role) WHERE pg_catalog.pg_has_role(r.oid, m.role, 'USAGE')))
WHERE c.oid = ANY (?::oid[]) AND c.relrowsecurity AND NOT r.rolsuper AND NOT r.rolbypassrls
  AND (c.relforcerowsecurity OR NOT pg_catalog.pg_has_role(r.oid, c.relowner, 'USAGE'))
ORDER BY c.oid, p.polname
