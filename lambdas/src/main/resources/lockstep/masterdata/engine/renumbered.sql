-- rows for which the source has another value in a column that an UPDATE can't set (GENERATED ALWAYS AS IDENTITY)
INSERT INTO pg_temp.{moved}
SELECT {target_key} FROM {table} t JOIN {staging} s ON {same_key} WHERE {renumbered}
