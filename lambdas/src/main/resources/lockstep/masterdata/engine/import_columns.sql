-- how each of these columns takes a value, in the order of the list; one row each. A domain is followed to its base type
WITH RECURSIVE input AS (
  SELECT w.position, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) AS declared,
         a.atttypid AS type, a.atttypmod AS modifier, a.attnotnull AS required
  FROM pg_catalog.unnest(?::text[]) WITH ORDINALITY AS w(name, position)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = ?::regclass AND a.attname = w.name AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT i.position, i.attname, i.declared,
         t.typbasetype, CASE WHEN t.typtypmod >= 0 THEN t.typtypmod ELSE i.modifier END, i.required OR t.typnotnull
  FROM input i JOIN pg_catalog.pg_type t ON t.oid = i.type AND t.typtype = 'd'
)
SELECT i.attname, i.declared, i.required,
       -- -1 and not NULL: it answers "bpchar" and "bit", which have no length; "character" and "bit" without quotes have the length 1
       pg_catalog.format_type(i.type, -1) AS base,
       t.typname,
       i.modifier >= 0 AND n.nspname = 'pg_catalog' AS modified
FROM input i JOIN pg_catalog.pg_type t ON t.oid = i.type JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype <> 'd'
ORDER BY i.position
