-- The INSERT waits for the UPDATE by asking for its count, and so may take unique values that it frees.
-- *<> compares the stored images: 1.0 and 1.00 are distinct, and types without equality compare too.
updated_{n} AS (
  UPDATE {table} t SET {assignments} FROM {staging} s
  WHERE {same_key} AND ROW({target_columns})::record *<> ROW({staged_columns})::record
  RETURNING 1
), inserted_{n} AS (
  INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE
  SELECT {staged_columns} FROM pg_temp.{fresh} f JOIN {staging} s ON s.ctid = f.place
  WHERE (SELECT count(*) FROM updated_{n}) >= 0
  RETURNING 1
)
