-- The INSERT reads the UPDATE's row count so that it runs after it and can use unique values that the UPDATE has freed.
-- *<> compares stored images, so that 1.0 and 1.00 differ and types without an equality operator can be compared.
-- Every name is qualified, because the statement runs with the default search path, which the product's triggers expect.
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
