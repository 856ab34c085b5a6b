-- Columns of valid unique B-tree indexes without predicate and expressions, and how each index compares them; one row for each column of each index.
-- Of several indexes over the same columns one is chosen: the primary key, or else the one that treats more values as equal.
WITH RECURSIVE wanted AS (
  SELECT w.name, c.oid
  FROM unnest(?::text[], ?::text[], ?::text[]) AS w(name, schema, relation)
  JOIN pg_namespace n ON n.nspname = w.schema
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.relation
), key AS (
  SELECT w.name, i.indexrelid, i.indisprimary, k.n, i.indrelid, k.attnum, k.class, k.collation_oid
  FROM wanted w
  JOIN pg_index i ON i.indrelid = w.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
  JOIN pg_class x ON x.oid = i.indexrelid AND x.relam = (SELECT m.oid FROM pg_am m WHERE m.amname = 'btree')
  CROSS JOIN LATERAL ROWS FROM (unnest(i.indkey[:i.indnkeyatts - 1]), unnest(i.indclass), unnest(i.indcollation)) WITH ORDINALITY AS k(attnum, class, collation_oid, n)
), base(attrelid, attnum, type, modifier) AS (
  SELECT DISTINCT a.attrelid, a.attnum, a.atttypid, a.atttypmod FROM key k JOIN pg_attribute a ON a.attrelid = k.indrelid AND a.attnum = k.attnum
  UNION ALL
  SELECT b.attrelid, b.attnum, t.typbasetype, CASE WHEN b.modifier = -1 THEN t.typtypmod ELSE b.modifier END
  FROM base b JOIN pg_type t ON t.oid = b.type AND t.typtype = 'd'
)
SELECT k.name, k.indexrelid::int8, a.attname,
       (SELECT format('%I.%I', n.nspname, t.typname) FROM pg_namespace n WHERE n.oid = t.typnamespace),
       (SELECT format('%I.%I', n.nspname, o.opcname) FROM pg_namespace n WHERE n.oid = o.opcnamespace),
       (SELECT format('OPERATOR(%I.%s)', n.nspname, p.oprname) FROM pg_amop m JOIN pg_operator p ON p.oid = m.amopopr JOIN pg_namespace n ON n.oid = p.oprnamespace
        WHERE m.amopfamily = o.opcfamily AND m.amoplefttype = o.opcintype AND m.amoprighttype = o.opcintype AND m.amopstrategy = 3),
       (SELECT format('OPERATOR(%I.%s)', n.nspname, p.oprname) FROM pg_amop m JOIN pg_operator p ON p.oid = m.amopopr JOIN pg_namespace n ON n.oid = p.oprnamespace
        WHERE m.amopfamily = o.opcfamily AND m.amoplefttype = o.opcintype AND m.amoprighttype = o.opcintype AND m.amopstrategy = 1),
       (SELECT format('OPERATOR(%I.%s)', n.nspname, p.oprname) FROM pg_amop m JOIN pg_operator p ON p.oid = m.amopopr JOIN pg_namespace n ON n.oid = p.oprnamespace
        WHERE m.amopfamily = o.opcfamily AND m.amoplefttype = o.opcintype AND m.amoprighttype = o.opcintype AND m.amopstrategy = 4),
       CASE WHEN k.collation_oid = 0 OR k.collation_oid = '"default"'::regcollation AND a.attcollation = '"default"'::regcollation THEN ''
            ELSE (SELECT format(' COLLATE %I.%I', n.nspname, c.collname) FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.oid = k.collation_oid) END,
       -- equal values have equal text, because the operator class declares that their stored images are equal
       EXISTS (SELECT FROM pg_amproc p WHERE p.amprocfamily = o.opcfamily AND p.amproclefttype = o.opcintype AND p.amprocrighttype = o.opcintype AND p.amprocnum = 4)
         AND coalesce((SELECT c.collisdeterministic FROM pg_collation c WHERE c.oid = k.collation_oid), true)
         -- except for character without a length, where trailing blanks are ignored
         AND NOT (t.oid = 'bpchar'::regtype AND b.modifier = -1)
FROM key k
JOIN pg_attribute a ON a.attrelid = k.indrelid AND a.attnum = k.attnum
JOIN pg_opclass o ON o.oid = k.class
JOIN base b ON b.attrelid = k.indrelid AND b.attnum = k.attnum
JOIN pg_type t ON t.oid = b.type AND t.typtype <> 'd'
ORDER BY k.name, k.indisprimary DESC, coalesce((SELECT c.collisdeterministic FROM pg_collation c WHERE c.oid = k.collation_oid), true), k.indexrelid, k.n
