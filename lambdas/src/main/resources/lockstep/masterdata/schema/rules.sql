-- rules that rewrite INSERT, UPDATE or DELETE statements on these relations
SELECT w.ev_class AS relation, w.rulename AS name
FROM pg_catalog.pg_rewrite w
WHERE w.ev_class = ANY (?::oid[]) AND w.ev_type IN ('2', '3', '4') AND w.ev_enabled IN ('O', 'A')
ORDER BY 1, 2
