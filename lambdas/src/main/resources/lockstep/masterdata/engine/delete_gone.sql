-- Every name is qualified, because the statement runs with the default search path, which the product's triggers expect.
deleted_{n} AS (
  DELETE FROM {table} t USING pg_temp.{gone} g WHERE {gone_key} AND NOT g.kept
  RETURNING 1
)
