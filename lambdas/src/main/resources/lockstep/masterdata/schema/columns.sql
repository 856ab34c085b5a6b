-- the columns of these relations, in order
SELECT a.attrelid AS relation, a.attname AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS not_null, a.attgenerated <> '' AS generated,
       NOT a.attnotnull OR a.atthasdef OR a.attidentity <> '' AS optional,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(l.collname) AS collation, l.collisdeterministic AS deterministic,
       -- the name of the column with ICU's locale depends on the version of PostgreSQL
       coalesce(pg_catalog.to_jsonb(l) ->> 'colllocale', pg_catalog.to_jsonb(l) ->> 'colliculocale', l.collcollate) AS locale
FROM pg_catalog.pg_attribute a
LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace
WHERE a.attrelid = ANY (?::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
