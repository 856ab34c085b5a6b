-- foreign keys that refer to one of the tables; one row each
SELECT cn.nspname || '.' || cc.relname AS child, pn.nspname || '.' || pc.relname AS parent,
       (SELECT array_agg(a.attname ORDER BY k.n) FROM unnest(f.conkey) WITH ORDINALITY AS k(attnum, n)
          JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum) AS child_columns,
       (SELECT array_agg(a.attname ORDER BY k.n) FROM unnest(f.confkey) WITH ORDINALITY AS k(attnum, n)
          JOIN pg_catalog.pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.attnum) AS parent_columns
FROM pg_catalog.pg_constraint f
JOIN pg_catalog.pg_class cc ON cc.oid = f.conrelid
JOIN pg_catalog.pg_namespace cn ON cn.oid = cc.relnamespace
JOIN pg_catalog.pg_class pc ON pc.oid = f.confrelid
JOIN pg_catalog.pg_namespace pn ON pn.oid = pc.relnamespace
WHERE f.contype = 'f' AND f.conparentid = 0 AND pn.nspname || '.' || pc.relname = ANY (?)
ORDER BY f.conname
