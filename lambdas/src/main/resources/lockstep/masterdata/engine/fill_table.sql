-- the table is empty and locked
INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE
SELECT {staged_columns} FROM {staging} s
