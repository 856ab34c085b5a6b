-- All tables of the product as one JSON document: columns, constraints, and how often rows were written. Needs an empty search_path, so
-- that definitions name their schemas.
SELECT json_build_object(
    'days', (SELECT greatest(1, extract(epoch FROM now() - coalesce(stats_reset, pg_postmaster_start_time())) / 86400)
        FROM pg_stat_database WHERE datname = current_database()),
    'tables', (SELECT coalesce(json_agg(t ORDER BY t.schema, t.name), '[]') FROM (
        SELECT c.oid::bigint AS oid, n.nspname AS schema, c.relname AS name, format('%I.%I', n.nspname, c.relname) AS sql,
            format('CREATE SCHEMA IF NOT EXISTS %I', n.nspname) AS "createSchema", c.relrowsecurity AS "rowSecurity",
            s.rows, s.inserts, s.changes,
            (SELECT coalesce(json_agg(json_build_object(
                'number', a.attnum,
                'name', a.attname,
                'sql', quote_ident(a.attname),
                'type', format_type(a.atttypid, a.atttypmod),
                'text', y.typcategory = 'S',
                'notNull', a.attnotnull OR y.typnotnull,
                'hasDefault', a.atthasdef OR a.attidentity <> '' OR y.typdefault IS NOT NULL,
                'generated', a.attgenerated <> '',
                'kinds', u.kinds,
                'creates', u.creates) ORDER BY a.attnum), '[]')
             FROM pg_attribute a
             JOIN pg_type y ON y.oid = a.atttypid
             CROSS JOIN LATERAL (
                -- the column's type, and those that it is made of
                WITH RECURSIVE used(oid, depth) AS (
                    SELECT a.atttypid, 0
                    UNION
                    SELECT CASE v.typtype WHEN 'd' THEN v.typbasetype ELSE v.typelem END, depth + 1
                    FROM used JOIN pg_type v ON v.oid = used.oid
                    WHERE v.typtype = 'd' OR v.typcategory = 'A' AND v.typelem <> 0)
                SELECT coalesce(json_agg(v.typtype) FILTER (WHERE x.oid IS NULL AND v.own), '[]') AS kinds,
                    coalesce(json_agg(format('CREATE SCHEMA IF NOT EXISTS %s;%s', coalesce(x.extnamespace, v.typnamespace)::regnamespace,
                        CASE
                        WHEN x.oid IS NOT NULL
                            THEN format('CREATE EXTENSION IF NOT EXISTS %I SCHEMA %s', x.extname, x.extnamespace::regnamespace)
                        WHEN v.typtype = 'e' THEN format('CREATE TYPE %s AS ENUM (%s)', format_type(v.oid, NULL),
                            (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = v.oid))
                        ELSE format('CREATE DOMAIN %s AS %s%s%s', format_type(v.oid, NULL), format_type(v.typbasetype, v.typtypmod),
                            CASE WHEN v.typnotnull THEN ' NOT NULL' END,
                            (SELECT string_agg(format(' CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)), '' ORDER BY conname)
                             FROM pg_constraint WHERE contypid = v.oid AND contype = 'c'))
                        END) ORDER BY depth DESC) FILTER (WHERE x.oid IS NOT NULL OR v.own AND v.typtype IN ('e', 'd')), '[]') AS creates
                FROM used JOIN (SELECT *, typnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema') AS own FROM pg_type) v
                    ON v.oid = used.oid
                LEFT JOIN pg_depend d ON d.classid = 'pg_type'::regclass AND d.objid = v.oid AND d.deptype = 'e'
                LEFT JOIN pg_extension x ON x.oid = d.refobjid) u
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
            (SELECT coalesce(json_agg(json_build_object(
                'kind', k.contype,
                'columns', k.conkey,
                'refersTo', k.confrelid::bigint,
                'referredColumns', k.confkey,
                'sql', format('CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid))) ORDER BY k.contype, k.conname), '[]')
             FROM pg_constraint k
             WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u', 'f') AND k.conparentid = 0) AS constraints
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(CASE WHEN p.reltuples > 0 THEN p.reltuples ELSE w.n_live_tup END), 0)::bigint AS rows, coalesce(sum(w.n_tup_ins), 0)::bigint AS inserts,
                coalesce(sum(w.n_tup_upd + w.n_tup_del), 0)::bigint AS changes
            FROM pg_stat_user_tables w JOIN pg_class p ON p.oid = w.relid
            WHERE p.relkind = 'r' AND (w.relid = c.oid OR w.relid IN (SELECT relid FROM pg_partition_tree(c.oid)))) s
        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p'
            AND n.nspname <> 'information_schema' AND n.nspname <> 'lockstep' AND n.nspname !~ '^pg_'
            AND n.nspname || c.relname !~ '[[:cntrl:]]'
            AND NOT EXISTS (SELECT FROM pg_inherits WHERE c.relkind = 'r' AND (inhparent = c.oid OR inhrelid = c.oid))
            AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')) t))
