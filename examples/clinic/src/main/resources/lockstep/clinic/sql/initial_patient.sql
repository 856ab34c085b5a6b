-- uses the first postal code at or after the wanted one, otherwise the first of all
WITH home AS (
    (SELECT 1 AS preference, code, seq FROM master.postal_code WHERE code >= ? ORDER BY code, seq LIMIT 1)
    UNION ALL (SELECT 2, code, seq FROM master.postal_code ORDER BY code, seq LIMIT 1)
    UNION ALL SELECT 3, NULL, NULL
    ORDER BY preference LIMIT 1
)
INSERT INTO tenant.patient (name, name_kana, born_on, street, postal_code, postal_code_seq)
SELECT ?, ?, ?, ?, code, seq FROM home
RETURNING id
