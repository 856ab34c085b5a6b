-- rows that hold unique values which other rows are to have, and that are to have others themselves
INSERT INTO pg_temp.{moved}
SELECT DISTINCT {target_key} FROM {staging} s JOIN {table} t ON {same_value} JOIN {staging} own ON {own_key}
WHERE NOT ({same_key})
