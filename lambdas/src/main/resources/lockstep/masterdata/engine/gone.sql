-- rows of the target that the source no longer has
CREATE TEMPORARY TABLE {gone} ON COMMIT DROP AS
SELECT {select_key}, false AS kept FROM {table} t
WHERE ({condition}) AND ({ranges}) AND NOT EXISTS (SELECT FROM {staging} s WHERE {same_key})
