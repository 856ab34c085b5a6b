DELETE FROM {table} t USING pg_temp.{gone} g WHERE {same_key} AND NOT g.lockstep_kept
