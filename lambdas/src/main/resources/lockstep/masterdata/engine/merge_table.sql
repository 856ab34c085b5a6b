-- The INSERT waits for the UPDATE by asking for its count, and so may take unique values that it frees.
-- *<> compares the stored images: 1.0 and 1.00 are distinct, and types without equality compare too.
-- Runs with the search path of the product's own sessions, for its triggers: every name is qualified.
updated_{n} AS (
  UPDATE {table} t SET {assignments} FROM {staging} s
  WHERE {same_key} AND {differs}
  RETURNING 1
), inserted_{n} AS (
  INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE
  SELECT {staged_columns} FROM {new_rows}
    AND (SELECT pg_catalog.count(*) FROM updated_{n}) OPERATOR(pg_catalog.>=) 0
  RETURNING 1
)
