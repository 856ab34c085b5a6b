-- the target's own rows, outside the filter, that have the key of a staged row
SELECT count(*), min(ROW({target_key})::text) FROM {table} t WHERE ({condition}) IS NOT TRUE AND EXISTS (SELECT FROM {staging} s WHERE {same_key})
