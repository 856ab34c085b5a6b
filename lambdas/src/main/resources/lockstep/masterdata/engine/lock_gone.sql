-- locks gone rows, so that no new references to them can be created
SELECT FROM {table} t WHERE EXISTS (SELECT FROM pg_temp.{gone} g WHERE {gone_key}) FOR UPDATE
