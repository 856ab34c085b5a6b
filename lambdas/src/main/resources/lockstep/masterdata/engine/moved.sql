-- rows that change and hold a unique value that another row is to receive
INSERT INTO pg_temp.{moved}
SELECT {target_key} FROM {table} t JOIN {staging} own ON {own_key}
WHERE EXISTS (SELECT FROM {staging} s WHERE {same_value} AND NOT ({same_key})) AND NOT EXISTS (SELECT FROM pg_temp.{moved} m WHERE {moved_key})
