-- counts rows that the deltas delete and do not insert again
SELECT count(*) FROM {old} o WHERE NOT EXISTS (SELECT FROM {staging} s WHERE {staged_old_key})
