-- those of these tables to which policies apply for this login
SELECT w.name
FROM unnest(?::text[], ?::text[], ?::text[]) AS w(name, schema, relation)
JOIN pg_namespace n ON n.nspname = w.schema
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.relation
WHERE row_security_active(c.oid)
