-- uses the first disease at or after the wanted one, otherwise the first of all; minutes are since midnight
WITH disease AS (
    (SELECT 1 AS preference, id FROM master.disease WHERE code >= ? AND billable ORDER BY code LIMIT 1)
    UNION ALL (SELECT 2, id FROM master.disease WHERE billable ORDER BY code LIMIT 1)
    ORDER BY preference LIMIT 1
)
INSERT INTO tenant.encounter (patient_id, disease_id, started_at, note)
SELECT ?, disease.id, (current_date - ?::integer) + ?::integer * interval '1 minute', ? FROM disease
RETURNING id
