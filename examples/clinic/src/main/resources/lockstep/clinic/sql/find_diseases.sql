SELECT id, code || ' ' || name, coalesce(nullif(array_to_string(synonyms[1:3], ' · '), ''), category)
FROM master.disease
WHERE billable AND (valid_to IS NULL OR valid_to > current_date)
  AND concat_ws(' ', code, name, array_to_string(synonyms, ' ')) ILIKE ALL (?)
ORDER BY code ILIKE ? DESC, name ILIKE ? DESC, code
LIMIT 20
