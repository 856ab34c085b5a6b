-- schemas without USAGE for a role: those of these relations, and of the types, collations and operators by which these columns are compared
WITH compared AS (
  SELECT a.atttypid AS type, a.attcollation AS collation, a.attrelid, a.attnum
  FROM unnest(?::oid[], ?::text[]) AS w(relation, name)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = w.relation AND a.attname = w.name AND NOT a.attisdropped
), needed(schema, reason) AS (
  SELECT c.relnamespace, 'table ' || c.relname FROM pg_catalog.pg_class c WHERE c.oid = ANY (?::oid[])
  UNION ALL
  SELECT t.typnamespace, 'type ' || t.typname
  FROM compared k
  JOIN pg_catalog.pg_type t ON t.oid = k.type OR t.oid = (SELECT e.typelem FROM pg_catalog.pg_type e WHERE e.oid = k.type AND e.typcategory = 'A')
  UNION ALL
  SELECT l.collnamespace, 'collation ' || l.collname FROM compared k JOIN pg_catalog.pg_collation l ON l.oid = k.collation
  UNION ALL
  SELECT o.oprnamespace, 'operator ' || o.oprname
  FROM compared k
  JOIN pg_catalog.pg_index i ON i.indrelid = k.attrelid AND i.indisunique
  CROSS JOIN LATERAL unnest(i.indkey, i.indclass) AS x(attnum, class)
  JOIN pg_catalog.pg_opclass c ON c.oid = x.class
  JOIN pg_catalog.pg_amop m ON m.amopfamily = c.opcfamily AND m.amoplefttype = c.opcintype AND m.amoprighttype = c.opcintype AND m.amopstrategy = 3
  JOIN pg_catalog.pg_operator o ON o.oid = m.amopopr
  WHERE x.attnum = k.attnum
)
SELECT n.nspname AS schema, min(needed.reason) AS reason
FROM needed
JOIN pg_catalog.pg_namespace n ON n.oid = needed.schema
WHERE n.nspname <> 'pg_catalog' AND NOT pg_catalog.has_schema_privilege(?::name, n.oid, 'USAGE')
GROUP BY n.nspname
ORDER BY n.nspname
