-- a gone row stays when a row refers to it that stays itself
UPDATE pg_temp.{gone} g SET lockstep_kept = true FROM {table} t
WHERE NOT g.lockstep_kept AND {same_key} AND EXISTS (SELECT FROM {child} c WHERE {refers} AND {child_stays})
