-- schemas of the types, operators, operator classes and collations by which rows of these tables are compared; one row each, with the owner
-- and whether this login may grant USAGE
WITH RECURSIVE wanted AS (
  SELECT c.oid
  FROM unnest(?::text[], ?::text[], ?::text[]) AS w(name, schema, relation)
  JOIN pg_namespace n ON n.nspname = w.schema
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.relation
), type(oid) AS (
  SELECT a.atttypid FROM wanted w JOIN pg_attribute a ON a.attrelid = w.oid AND a.attnum > 0 AND NOT a.attisdropped
  UNION
  SELECT b.typbasetype FROM type JOIN pg_type b ON b.oid = type.oid AND b.typtype = 'd'
), class AS (
  SELECT o.opcnamespace, o.opcfamily
  FROM wanted w JOIN pg_index i ON i.indrelid = w.oid AND i.indisunique CROSS JOIN LATERAL unnest(i.indclass) AS k(oid) JOIN pg_opclass o ON o.oid = k.oid
), used(oid) AS (
  SELECT t.typnamespace FROM type JOIN pg_type t USING (oid)
  UNION SELECT opcnamespace FROM class
  UNION SELECT o.oprnamespace FROM class c JOIN pg_amop m ON m.amopfamily = c.opcfamily JOIN pg_operator o ON o.oid = m.amopopr
  UNION SELECT o.oprnamespace FROM wanted w JOIN pg_constraint f ON f.conrelid = w.oid AND f.contype = 'f'
    CROSS JOIN LATERAL unnest(f.conpfeqop) AS k(oid) JOIN pg_operator o ON o.oid = k.oid
  UNION SELECT l.collnamespace FROM wanted w JOIN pg_attribute a ON a.attrelid = w.oid JOIN pg_collation l ON l.oid = a.attcollation
  UNION SELECT l.collnamespace FROM wanted w JOIN pg_index i ON i.indrelid = w.oid CROSS JOIN LATERAL unnest(i.indcollation) AS k(oid) JOIN pg_collation l ON l.oid = k.oid
)
SELECT n.nspname, pg_get_userbyid(n.nspowner), pg_has_role(n.nspowner, 'USAGE') OR has_schema_privilege(n.oid, 'USAGE WITH GRANT OPTION')
FROM used JOIN pg_namespace n USING (oid)
WHERE n.nspname <> 'pg_catalog'
ORDER BY 1
