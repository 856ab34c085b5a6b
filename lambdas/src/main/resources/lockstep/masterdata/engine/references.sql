-- foreign keys that refer to one of the tables or its partitions, with their comparison operators; one row for each column of each foreign key
WITH wanted AS (
  SELECT c.oid
  FROM unnest(?::text[], ?::text[], ?::text[]) AS w(name, schema, relation)
  JOIN pg_namespace n ON n.nspname = w.schema
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.relation
), reference AS (
  SELECT f.oid, f.conname, f.conrelid, f.confrelid, w.oid AS parent, f.conkey, f.confkey, f.conpfeqop, f.confupdtype
  FROM pg_constraint f JOIN wanted w ON w.oid = coalesce(pg_partition_root(f.confrelid), f.confrelid)
  WHERE f.contype = 'f' AND f.conparentid = 0
)
SELECT f.oid::int8, (SELECT n.nspname FROM pg_namespace n WHERE n.oid = cc.relnamespace), cc.relname,
       (SELECT n.nspname FROM pg_namespace n WHERE n.oid = pc.relnamespace), pc.relname, ca.attname, pa.attname,
       -- operator and casts as in the constraint's own queries
       (SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname) FROM pg_namespace n WHERE n.oid = o.oprnamespace),
       CASE WHEN o.oprleft = pa.atttypid THEN ''
            ELSE (SELECT CASE WHEN t.typtype = 'p' THEN '' ELSE format('::%I.%I', n.nspname, t.typname) END FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = o.oprleft) END
         || CASE WHEN ca.attcollation = pa.attcollation THEN ''
                 -- the parent's collation is used only if it is nondeterministic
                 ELSE coalesce((SELECT format(' COLLATE %I.%I', n.nspname, l.collname) FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace
                                WHERE l.oid = CASE WHEN (SELECT p.collisdeterministic FROM pg_collation p WHERE p.oid = pa.attcollation) THEN ca.attcollation ELSE pa.attcollation END), '') END,
       CASE WHEN o.oprright = ca.atttypid THEN ''
            ELSE (SELECT CASE WHEN t.typtype = 'p' THEN '' ELSE format('::%I.%I', n.nspname, t.typname) END FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = o.oprright) END,
       f.confupdtype = 'c'
FROM reference f
CROSS JOIN LATERAL ROWS FROM (unnest(f.conkey), unnest(f.confkey), unnest(f.conpfeqop)) WITH ORDINALITY AS k(child, parent, operator, n)
JOIN pg_class cc ON cc.oid = f.conrelid
JOIN pg_class pc ON pc.oid = f.parent
JOIN pg_attribute ca ON ca.attrelid = f.conrelid AND ca.attnum = k.child
JOIN pg_attribute pa ON pa.attrelid = f.confrelid AND pa.attnum = k.parent
JOIN pg_operator o ON o.oid = k.operator
ORDER BY f.conname, f.oid, k.n
