-- Updates rows whose text the previous statement changed through ON UPDATE CASCADE within these tables, and that now differ from the source,
-- for example 1.0 and 1.00.
-- Every name is qualified, because the statement runs with the default search path, which the product's triggers expect.
respelled_{n} AS (
  UPDATE {table} t SET {assignments} FROM {staging} s
  WHERE {same_key} AND {differs}
  RETURNING 1
)
