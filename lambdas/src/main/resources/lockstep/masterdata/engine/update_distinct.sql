-- *<> compares the stored images: 1.0 and 1.00 are distinct, and types without equality compare too
UPDATE {table} t SET {assignments} FROM {staging} s WHERE {same_key} AND ROW({target_columns})::record *<> ROW({staged_columns})::record
