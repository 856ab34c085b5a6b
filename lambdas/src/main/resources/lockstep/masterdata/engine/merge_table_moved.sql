-- As merge_table, but rows that give up unique values are deleted and inserted anew: when the statement is done and foreign keys
-- are checked, they are there.
vacated_{n} AS (
  DELETE FROM {table} t USING pg_temp.{moved} m WHERE {moved_key}
  RETURNING 1
), updated_{n} AS (
  UPDATE {table} t SET {assignments} FROM {staging} s
  WHERE {same_key} AND ROW({target_columns})::record *<> ROW({staged_columns})::record
    AND NOT EXISTS (SELECT FROM pg_temp.{moved} m WHERE {moved_key}) AND (SELECT count(*) FROM vacated_{n}) >= 0
  RETURNING 1
), inserted_{n} AS (
  INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE
  SELECT {staged_columns} FROM {staging} s
  WHERE (NOT EXISTS (SELECT FROM {table} t WHERE {same_key}) OR EXISTS (SELECT FROM pg_temp.{moved} m WHERE {staged_moved_key}))
    AND (SELECT count(*) FROM updated_{n}) >= 0
  RETURNING 1
)
