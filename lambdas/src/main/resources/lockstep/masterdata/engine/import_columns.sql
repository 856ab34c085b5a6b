-- the type of each of these columns, with domains resolved to their base type; one row each, in the order of the list
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
       -- With -1, format_type returns "bpchar" and "bit" in quotes, which have no length; with NULL, character and bit, which have length 1.
       pg_catalog.format_type(i.type, -1) AS base,
       t.typname,
       i.modifier >= 0 AND n.nspname = 'pg_catalog' AS modified
FROM input i JOIN pg_catalog.pg_type t ON t.oid = i.type JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype <> 'd'
ORDER BY i.position
