-- As merge_table, but some rows are deleted and inserted anew: those that give up unique values, and those whose numbers no UPDATE may
-- set. When the statement is done and foreign keys are checked, they are there.
-- Runs with the search path of the product's own sessions, for its triggers: every name is qualified.
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
