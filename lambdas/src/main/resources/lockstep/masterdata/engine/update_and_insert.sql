-- One statement, so that foreign keys are checked when both are done: an updated row may refer to an inserted one of its own
-- table. The INSERT waits for the UPDATE by asking for its count, and so may take unique values that it frees.
-- *<> compares the stored images: 1.0 and 1.00 are distinct, and types without equality compare too.
WITH updated AS (
  UPDATE {table} t SET {assignments} FROM {staging} s
  WHERE {same_key} AND ROW({target_columns})::record *<> ROW({staged_columns})::record
  RETURNING 1
), inserted AS (
  INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE
  SELECT {staged_columns} FROM {staging} s
  WHERE NOT EXISTS (SELECT FROM {table} t WHERE {same_key}) AND (SELECT count(*) FROM updated) >= 0
  RETURNING 1
)
SELECT (SELECT count(*) FROM updated), (SELECT count(*) FROM inserted)
