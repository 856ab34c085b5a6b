({condition}) AND NOT EXISTS (SELECT FROM lockstep.kept_row k
  WHERE k.data_set = {data_set} AND k.table_name = {table_name} AND {kept_key})
