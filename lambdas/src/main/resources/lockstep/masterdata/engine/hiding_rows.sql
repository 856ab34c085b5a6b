-- of these tables, those that do not show every row to this login: row-level security applies to it, and either no permissive policy of
-- its own lets it see all, or a restrictive one narrows that
SELECT n.nspname || '.' || c.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname || '.' || c.relname = ANY (?) AND pg_catalog.row_security_active(c.oid)
  AND (NOT EXISTS (SELECT FROM pg_catalog.pg_policy p
                   WHERE p.polrelid = c.oid AND p.polpermissive AND p.polcmd IN ('r', '*') AND pg_catalog.pg_get_expr(p.polqual, p.polrelid) = 'true'
                     AND (0::oid = ANY (p.polroles) OR EXISTS (SELECT FROM pg_catalog.unnest(p.polroles) AS r(role) WHERE pg_catalog.pg_has_role(r.role, 'USAGE'))))
       OR EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid AND NOT p.polpermissive AND p.polcmd IN ('r', '*')))
ORDER BY 1
