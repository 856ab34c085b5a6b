-- rows of the target that the source no longer has; locked, so that nobody begins to refer to one of them
CREATE TEMPORARY TABLE {gone} ON COMMIT DROP AS
SELECT {key} FROM {table} t
WHERE ({condition}) AND NOT EXISTS (SELECT FROM {staging} s WHERE {same_key})
