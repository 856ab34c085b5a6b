-- keeps a gone row if a row that stays refers to it
UPDATE pg_temp.{gone} g SET kept = true FROM {table} t
WHERE NOT g.kept AND {gone_key} AND EXISTS (SELECT FROM {child} c WHERE {refers} AND {child_stays})
