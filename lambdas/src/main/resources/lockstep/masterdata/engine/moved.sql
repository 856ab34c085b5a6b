-- rows that hold unique values which other rows are to have, and that are to have others themselves
INSERT INTO pg_temp.{moved}
SELECT {target_key} FROM {table} t JOIN {staging} own ON {own_key}
WHERE EXISTS (SELECT FROM {staging} s WHERE {same_value} AND NOT ({same_key})) AND NOT EXISTS (SELECT FROM pg_temp.{moved} m WHERE {moved_key})
