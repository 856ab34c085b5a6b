-- rows that were kept the last time: they may be free now. One that is outside the filter by now is the shard's own.
INSERT INTO pg_temp.{gone}
SELECT {target_key}, false FROM lockstep.kept_row k JOIN (SELECT {target_key} FROM {table} t WHERE {condition}) t ON {kept_key}
WHERE k.data_set = {data_set} AND k.table_name = {table_name}
  AND NOT EXISTS (SELECT FROM {staging} s WHERE {same_key}) AND NOT EXISTS (SELECT FROM pg_temp.{gone} g WHERE {gone_key})
