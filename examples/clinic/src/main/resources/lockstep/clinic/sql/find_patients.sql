SELECT patient.id, name, name_kana, born_on, code || '-' || seq, concat_ws(' ', prefecture, city, town), street, seen.at
FROM tenant.patient
LEFT JOIN master.postal_code ON (code, seq) = (postal_code, postal_code_seq)
LEFT JOIN LATERAL (SELECT max(started_at) AS at FROM tenant.encounter WHERE patient_id = patient.id) seen ON true
WHERE (?::bigint IS NULL OR patient.id = ?) AND (name ILIKE ? OR coalesce(name_kana, '') ILIKE ?)
ORDER BY seen.at DESC NULLS LAST, patient.id DESC
LIMIT 200
