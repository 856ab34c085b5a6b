-- Returns one row per loss of the target's own data, views and grants; no rows if nothing was lost.
SELECT 'key of ' || conrelid::regclass || ' not valid' FROM pg_constraint WHERE contype = 'f' AND NOT convalidated
UNION ALL SELECT 'keys of the visitors'' tables: ' || count(*) || ' instead of 3' FROM pg_constraint
    WHERE contype = 'f' AND conrelid::regclass::text LIKE 'tenant.%' AND confrelid::regclass::text LIKE 'master.%' HAVING count(*) <> 3
UNION ALL SELECT 'rows of the visitors: ' || count(*) FROM tenant.prescription HAVING count(*) <> :drugs * 6 / 40
UNION ALL SELECT 'prescriptions without their drug: ' || count(*) FROM tenant.prescription p
    WHERE NOT EXISTS (SELECT FROM master.drug d WHERE d.id = p.drug_id) HAVING count(*) > 0
UNION ALL SELECT 'the view' WHERE to_regclass('tenant.price_list') IS NULL OR NOT EXISTS (
    SELECT FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid WHERE r.ev_class = to_regclass('tenant.price_list') AND d.refobjid = 'master.drug'::regclass)
UNION ALL SELECT 'the grant on ' || t FROM unnest('{ingredient,disease,postal_code,drug,drug_interaction}'::text[]) AS t
    WHERE NOT has_table_privilege('product', 'master.' || t, 'SELECT')
