-- properties of the database: whether it is prepared, the writer's role, and settings that an ordinary session cannot change
SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'lockstep' AND c.relname IN ('sync', 'applied') HAVING count(*) = 2) AS prepared,
       pg_catalog.pg_is_in_recovery() AS replica,
       w.oid IS NOT NULL AS writer_exists, coalesce(w.rolcanlogin, false) AS may_log_in, coalesce(w.rolvaliduntil < now(), false) AS expired,
       coalesce((SELECT setting FROM (
         -- the value in a new session of the writer: settings of the role take precedence over those of the database
         SELECT split_part(c, '=', 2) AS setting, (s.setrole <> 0)::int * 2 + (s.setdatabase <> 0)::int AS precedence
         FROM pg_catalog.pg_db_role_setting s, unnest(s.setconfig) AS c
         WHERE s.setrole IN (0, w.oid) AND s.setdatabase IN (0, d.oid) AND c LIKE 'session\_replication\_role=%'
         ORDER BY 2 DESC LIMIT 1) AS own), pg_catalog.current_setting('session_replication_role')) AS replication_role,
       coalesce((SELECT setting FROM (
         SELECT split_part(c, '=', 2) AS setting, (s.setrole <> 0)::int * 2 + (s.setdatabase <> 0)::int AS precedence
         FROM pg_catalog.pg_db_role_setting s, unnest(s.setconfig) AS c
         WHERE s.setdatabase IN (0, d.oid) AND c LIKE 'track\_counts=%' AND NOT split_part(c, '=', 2)::boolean
         LIMIT 1) AS own), pg_catalog.current_setting('track_counts')) AS track_counts,
       pg_catalog.current_database() AS database
FROM (SELECT ?::text AS writer) AS p
JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
LEFT JOIN pg_catalog.pg_roles w ON w.rolname = p.writer
