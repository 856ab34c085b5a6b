-- rows that the deltas delete and do not insert again
INSERT INTO pg_temp.{gone}
SELECT {target_key}, false FROM {old} o JOIN {table} t ON {old_key}
WHERE NOT EXISTS (SELECT FROM {staging} s WHERE {same_key}) AND NOT EXISTS (SELECT FROM pg_temp.{gone} g WHERE {gone_key})
