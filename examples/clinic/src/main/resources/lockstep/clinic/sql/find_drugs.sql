SELECT id, name, concat_ws(' · ', code, dosage_form, array_to_string(ARRAY(SELECT jsonb_path_query(ingredients, '$[*].name') #>> '{}'), ', '))
FROM master.drug
WHERE (withdrawn_on IS NULL OR withdrawn_on > current_date) AND concat_ws(' ', code, name, name_kana, ingredients::text) ILIKE ALL (?)
ORDER BY code ILIKE ? DESC, name ILIKE ? DESC, name, code
LIMIT 20
