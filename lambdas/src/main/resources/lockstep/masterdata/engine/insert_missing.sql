INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE
SELECT {staged_columns} FROM {staging} s WHERE NOT EXISTS (SELECT FROM {table} t WHERE {same_key})
