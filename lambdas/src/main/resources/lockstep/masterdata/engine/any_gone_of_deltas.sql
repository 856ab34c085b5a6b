-- how many rows deltas take away and do not bring back
SELECT count(*) FROM {old} o WHERE NOT EXISTS (SELECT FROM {staging} s WHERE {staged_old_key})
