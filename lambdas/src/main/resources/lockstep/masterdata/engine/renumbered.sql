-- rows to which the source gave another number, in a column that no UPDATE may set (GENERATED ALWAYS AS IDENTITY)
INSERT INTO pg_temp.{moved}
SELECT {target_key} FROM {table} t JOIN {staging} s ON {same_key} WHERE {renumbered}
