-- the counts that merge_table would return
SELECT (SELECT count(*) FROM {staging} s WHERE NOT EXISTS (SELECT FROM {table} t WHERE {same_key})),
  (SELECT count(*) FROM {staging} s JOIN {table} t ON {same_key} WHERE {differs})
