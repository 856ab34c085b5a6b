-- The number of rows, and the sums of both halves of each row's MD5. The sums do not depend on the order of rows and count duplicate rows.
-- Kept rows, which exist only because other rows refer to them, are excluded.
SELECT count(*), coalesce(sum(('x' || substr(hash, 1, 16))::bit(64)::bigint), 0), coalesce(sum(('x' || substr(hash, 17, 16))::bit(64)::bigint), 0)
FROM (
  SELECT md5(ROW({columns})::text) AS hash
  FROM {table} t
  WHERE ({condition})
    AND NOT EXISTS (SELECT FROM lockstep.kept_row k WHERE k.data_set = {data_set} AND k.table_name = {table_name} AND k.key = ARRAY[{key}])
) AS rows
