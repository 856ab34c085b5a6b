-- whether the sync's logins lack privileges on Lockstep's own tables
SELECT NOT pg_catalog.has_schema_privilege(p.writer, 'lockstep', 'USAGE, CREATE') OR NOT pg_catalog.has_table_privilege(p.writer, c.oid, 'INSERT') AS writer_lacks,
       NOT pg_catalog.has_schema_privilege(p.reader, 'lockstep', 'USAGE') OR NOT pg_catalog.has_table_privilege(p.reader, c.oid, 'SELECT') AS reader_lacks
FROM (SELECT ?::name AS writer, ?::name AS reader) AS p, pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'lockstep' AND c.relname = 'sync'
