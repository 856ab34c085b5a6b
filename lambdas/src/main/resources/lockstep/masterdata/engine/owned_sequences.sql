-- sequences that a column owns or that its default uses; one row for each column and sequence
WITH wanted AS (
  SELECT w.name, c.oid
  FROM unnest(?::text[], ?::text[], ?::text[]) AS w(name, schema, relation)
  JOIN pg_namespace n ON n.nspname = w.schema
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.relation
), numbering(name, attrelid, attnum, sequence) AS (
  SELECT w.name, d.refobjid, d.refobjsubid, d.objid
  FROM wanted w JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = w.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
  UNION
  SELECT w.name, v.adrelid, v.adnum, d.refobjid
  FROM wanted w JOIN pg_attrdef v ON v.adrelid = w.oid JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = v.oid AND d.refclassid = 'pg_class'::regclass
)
SELECT m.name, a.attname, sn.nspname, s.relname,
       -- whether the column is numeric; a sequence can't follow other types
       t.typcategory = 'N'
FROM numbering m
JOIN pg_class s ON s.oid = m.sequence AND s.relkind = 'S'
JOIN pg_namespace sn ON sn.oid = s.relnamespace
JOIN pg_attribute a ON a.attrelid = m.attrelid AND a.attnum = m.attnum
JOIN pg_type t ON t.oid = a.atttypid
ORDER BY 1, 2, 3, 4
