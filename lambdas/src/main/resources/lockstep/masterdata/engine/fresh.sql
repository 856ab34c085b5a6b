-- staged rows that the target does not have
CREATE TEMPORARY TABLE {fresh} ON COMMIT DROP AS
SELECT s.ctid AS place FROM {staging} s WHERE NOT EXISTS (SELECT FROM {table} t WHERE {same_key})
