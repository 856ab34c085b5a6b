-- what merge_table and delete_gone would count
SELECT (SELECT count(*) FROM {staging} s WHERE NOT EXISTS (SELECT FROM {table} t WHERE {same_key})),
  (SELECT count(*) FROM {staging} s JOIN {table} t ON {same_key} WHERE ROW({target_columns})::record *<> ROW({staged_columns})::record),
  (SELECT count(*) FROM pg_temp.{gone} WHERE NOT lockstep_kept),
  (SELECT count(*) FROM pg_temp.{gone} WHERE lockstep_kept)
