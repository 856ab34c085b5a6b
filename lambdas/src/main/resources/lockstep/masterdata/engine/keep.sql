INSERT INTO lockstep.kept_row (data_set, table_name, key)
SELECT {data_set}, {table_name}, ARRAY[{gone_key_text}] FROM pg_temp.{gone} g
