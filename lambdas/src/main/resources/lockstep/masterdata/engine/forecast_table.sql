-- what merge_table and delete_gone would count
SELECT (SELECT count(*) FROM {staging} s WHERE NOT EXISTS (SELECT FROM {table} t WHERE {same_key})),
  (SELECT count(*) FROM {staging} s JOIN {table} t ON {same_key} WHERE {differs}),
  (SELECT count(*) FROM pg_temp.{gone} g WHERE NOT g.kept),
  (SELECT count(*) FROM pg_temp.{gone} g WHERE g.kept)
