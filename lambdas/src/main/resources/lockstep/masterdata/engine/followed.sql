-- whether a foreign key has an ON UPDATE action other than NO ACTION and RESTRICT for one of these columns
SELECT EXISTS (
  SELECT FROM pg_catalog.pg_constraint f
  JOIN pg_catalog.pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = ANY (f.confkey)
  WHERE f.contype = 'f' AND f.confupdtype IN ('c', 'n', 'd') AND coalesce(pg_catalog.pg_partition_root(f.confrelid), f.confrelid) = {table}::regclass
    AND a.attname = ANY (?))
