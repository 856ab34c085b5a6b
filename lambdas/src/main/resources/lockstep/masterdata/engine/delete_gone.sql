deleted_{n} AS (
  DELETE FROM {table} t USING pg_temp.{gone} g WHERE {gone_key} AND NOT g.lockstep_kept
  RETURNING 1
)
