SELECT encounter.id, patient_id, started_at, code, disease.name, note
FROM tenant.encounter JOIN master.disease ON disease.id = disease_id
WHERE patient_id = ? OR (?::bigint IS NOT NULL AND encounter.id = ?)
ORDER BY started_at DESC, encounter.id DESC
