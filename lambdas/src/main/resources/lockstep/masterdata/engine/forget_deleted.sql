DELETE FROM pg_temp.{gone} g WHERE NOT EXISTS (SELECT FROM {table} t WHERE {same_key})
