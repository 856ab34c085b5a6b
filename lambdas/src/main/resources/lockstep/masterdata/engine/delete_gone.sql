-- Runs with the search path of the product's own sessions, for its triggers: every name is qualified.
deleted_{n} AS (
  DELETE FROM {table} t USING pg_temp.{gone} g WHERE {gone_key} AND NOT g.kept
  RETURNING 1
)
