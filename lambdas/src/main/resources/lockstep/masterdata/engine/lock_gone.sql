-- so that nobody begins to refer to one of them
SELECT FROM {table} t WHERE EXISTS (SELECT FROM pg_temp.{gone} g WHERE {gone_key}) FOR UPDATE
