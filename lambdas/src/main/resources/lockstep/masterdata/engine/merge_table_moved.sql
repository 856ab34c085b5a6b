-- As merge_table, but rows that give up unique values, or whose identity columns an UPDATE can't set, are deleted and inserted again.
-- Foreign keys are checked at the end of the statement, when these rows exist again.
-- Every name is qualified, because the statement runs with the default search path, which the product's triggers expect.
vacated_{n} AS (
  DELETE FROM {table} t USING pg_temp.{moved} m WHERE {moved_key}
  RETURNING 1
), updated_{n} AS (
  UPDATE {table} t SET {assignments} FROM {staging} s
  WHERE {same_key} AND {differs}
    AND NOT EXISTS (SELECT FROM pg_temp.{moved} m WHERE {moved_key}) AND (SELECT pg_catalog.count(*) FROM vacated_{n}) OPERATOR(pg_catalog.>=) 0
  RETURNING 1
), inserted_{n} AS (
  INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE
  SELECT {staged_columns} FROM {staging} s
  WHERE (NOT EXISTS (SELECT FROM {table} t WHERE {same_key}) OR EXISTS (SELECT FROM pg_temp.{moved} m WHERE {staged_moved_key}))
    AND (SELECT pg_catalog.count(*) FROM updated_{n}) OPERATOR(pg_catalog.>=) 0
  RETURNING 1
)
