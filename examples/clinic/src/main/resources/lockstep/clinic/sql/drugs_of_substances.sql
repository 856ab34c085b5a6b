SELECT DISTINCT ON (substance) substance, drug.id
FROM unnest(?) AS substance JOIN master.drug ON ingredients @> jsonb_build_array(jsonb_build_object('name', substance))
WHERE withdrawn_on IS NULL
ORDER BY substance, drug.id
