-- How many rows, and the sums of both halves of each row's md5: they depend on no order, and a row that is there twice counts twice.
-- Rows that stay only because others refer to them are left out; a database that no sync reached has none.
SELECT count(*), coalesce(sum(('x' || substr(hash, 1, 16))::bit(64)::bigint), 0), coalesce(sum(('x' || substr(hash, 17, 16))::bit(64)::bigint), 0)
FROM (
  SELECT md5(ROW({columns})::text) AS hash
  FROM {table} t
  WHERE ({condition})
    AND NOT EXISTS (SELECT FROM lockstep.kept_row k WHERE k.data_set = {data_set} AND k.table_name = {table_name} AND k.key = ARRAY[{key}])
) AS rows
