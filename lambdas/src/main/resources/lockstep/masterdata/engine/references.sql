-- foreign keys that refer to one of the tables, or to a partition of it; one row each
SELECT cn.nspname || '.' || cc.relname AS child, pn.nspname || '.' || pc.relname AS parent,
       (SELECT array_agg(a.attname ORDER BY k.n) FROM unnest(f.conkey) WITH ORDINALITY AS k(attnum, n)
          JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum) AS child_columns,
       (SELECT array_agg(a.attname ORDER BY k.n) FROM unnest(f.confkey) WITH ORDINALITY AS k(attnum, n)
          JOIN pg_catalog.pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.attnum) AS parent_columns,
       -- by which these are compared, where the columns' own differ
       (SELECT array_agg(CASE WHEN ca.attcollation <> pa.attcollation THEN ' COLLATE ' || pg_catalog.quote_ident(ln.nspname) || '.' || pg_catalog.quote_ident(l.collname) ELSE '' END ORDER BY k.n)
          FROM ROWS FROM (unnest(f.conkey), unnest(f.confkey)) WITH ORDINALITY AS k(child, parent, n)
          JOIN pg_catalog.pg_attribute ca ON ca.attrelid = f.conrelid AND ca.attnum = k.child
          JOIN pg_catalog.pg_attribute pa ON pa.attrelid = f.confrelid AND pa.attnum = k.parent
          LEFT JOIN pg_catalog.pg_collation l ON l.oid = pa.attcollation LEFT JOIN pg_catalog.pg_namespace ln ON ln.oid = l.collnamespace) AS collations
FROM pg_catalog.pg_constraint f
JOIN pg_catalog.pg_class cc ON cc.oid = f.conrelid
JOIN pg_catalog.pg_namespace cn ON cn.oid = cc.relnamespace
JOIN pg_catalog.pg_class pc ON pc.oid = coalesce(pg_catalog.pg_partition_root(f.confrelid), f.confrelid)
JOIN pg_catalog.pg_namespace pn ON pn.oid = pc.relnamespace
WHERE f.contype = 'f' AND f.conparentid = 0 AND pn.nspname || '.' || pc.relname = ANY (?)
ORDER BY f.conname
