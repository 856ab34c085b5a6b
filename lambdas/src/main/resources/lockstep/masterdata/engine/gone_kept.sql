-- Adds rows that earlier merges kept, because they may no longer be referenced. Rows that are now outside the filter belong to the shard.
INSERT INTO pg_temp.{gone}
SELECT {target_key}, false FROM lockstep.kept_row k JOIN (SELECT {target_key} FROM {table} t WHERE {condition}) t ON {kept_key}
WHERE k.data_set = {data_set} AND k.table_name = {table_name}
  AND NOT EXISTS (SELECT FROM {staging} s WHERE {same_key}) AND NOT EXISTS (SELECT FROM pg_temp.{gone} g WHERE {gone_key})
