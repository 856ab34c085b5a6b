-- Missing or restrictive policies that may hide rows of these tables from this login, or keep it from writing them, each with the statement that
-- fixes it; one row each, with the conditions of a restrictive policy, which may contain an exception for this login. No rows mean that the login
-- sees every row, and may write every row of the tables to be written.
WITH wanted AS (
  SELECT w.name, c.oid, w.written
  FROM unnest(?::text[], ?::text[], ?::text[], ?::boolean[]) AS w(name, schema, relation, written)
  JOIN pg_namespace n ON n.nspname = w.schema
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.relation
  WHERE row_security_active(c.oid)
), policy AS (
  SELECT w.oid, p.polname, p.polpermissive, p.polcmd, pg_get_expr(p.polqual, p.polrelid) AS visible,
         pg_get_expr(coalesce(p.polwithcheck, p.polqual), p.polrelid) AS writable
  FROM wanted w
  JOIN pg_policy p ON p.polrelid = w.oid
  WHERE 0::oid = ANY (p.polroles) OR EXISTS (SELECT FROM unnest(p.polroles) AS r(role) WHERE pg_has_role(r.role, 'USAGE'))
), command AS (
  SELECT w.name, w.oid, w.written, c.cmd
  FROM wanted w, (VALUES ('r'::"char"), ('a'), ('w'), ('d')) AS c(cmd)
  WHERE w.written OR c.cmd = 'r'
)
SELECT c.name, 'no policy lets ' || current_user || CASE WHEN c.written THEN ' see and write' ELSE ' see' END || ' every row',
       format('CREATE POLICY %I ON %s %sTO %I USING (true)%s', current_user, c.name, CASE WHEN c.written THEN '' ELSE 'FOR SELECT ' END, current_user,
              CASE WHEN c.written THEN ' WITH CHECK (true)' ELSE '' END), true, NULL, NULL
FROM command c
WHERE NOT EXISTS (SELECT FROM policy p WHERE p.oid = c.oid AND p.polpermissive AND p.polcmd IN (c.cmd, '*')
                    AND (c.cmd = 'a' OR p.visible = 'true') AND (c.cmd NOT IN ('a', 'w') OR p.writable = 'true'))
UNION
SELECT c.name, 'restrictive policy ' || quote_ident(p.polname) || ' may hide rows from ' || current_user,
       format('ALTER POLICY %I ON %s', p.polname, c.name)
         || CASE WHEN p.visible IS NULL THEN '' ELSE format(' USING (%s OR current_user = %L)', p.visible, current_user) END
         || CASE WHEN p.polcmd = 'r' OR p.polcmd = 'd' OR p.writable IS NULL OR p.polcmd <> 'a' AND p.writable = p.visible THEN ''
                 ELSE format(' WITH CHECK (%s OR current_user = %L)', p.writable, current_user) END, false, p.visible, p.writable
FROM command c
JOIN policy p ON p.oid = c.oid AND NOT p.polpermissive AND p.polcmd IN (c.cmd, '*')
ORDER BY 1, 2
