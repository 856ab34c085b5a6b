-- Rows to which the statement before has carried the new spelling of a key, by ON UPDATE CASCADE inside these tables, and that the source
-- spells otherwise.
-- Runs with the search path of the product's own sessions, for its triggers: every name is qualified.
respelled_{n} AS (
  UPDATE {table} t SET {assignments} FROM {staging} s
  WHERE {same_key} AND {differs}
  RETURNING 1
)
