-- Each visit refers to the master rows that match best, so that it can be inserted with any list:
-- the code at or after the wanted one, otherwise the first; a drug with the substance that is still on the market, otherwise any.
WITH visit (customer, name, name_kana, born_on, postal_code, disease_code, started_at, complaint, substances, days, advice) AS (
    VALUES
    ('visitor-aoki-clinic', '青木 花子', 'アオキ ハナコ', date '1958-04-17', '1000001', 'I10', timestamptz '2026-03-02 09:30+09',
        '家庭血圧 150/92。めまいなし。', ARRAY['Amlodipine', 'Candesartan'], 28, '朝食後 1日1回'),
    ('visitor-aoki-clinic', '佐藤 健一', 'サトウ ケンイチ', date '1971-11-03', '1500002', 'E11.9', timestamptz '2026-03-02 10:15+09',
        'HbA1c 7.4%' || E'\n' || '食事療法を継続。', ARRAY['Metformin'], 30, '毎食後'),
    ('visitor-aoki-clinic', '髙橋 さくら', 'タカハシ サクラ', date '2019-07-21', '5300001', 'J20.9', timestamptz '2026-03-03 16:40+09',
        '咳が 5 日続く 🤒', ARRAY['Carbocisteine'], 5, '1日3回、よく振ってから'),
    ('visitor-aoki-clinic', '渡邉 勇', 'ワタナベ イサム', date '1944-01-30', '9800811', 'K21.9', timestamptz '2026-03-05 11:05+09',
        '胸やけ。夜間に多い。', ARRAY['Lansoprazole'], 14, NULL),
    ('visitor-schmidt', 'Jürgen Großmann', NULL, date '1966-09-12', NULL, 'M54.50', timestamptz '2026-03-04 14:20+01',
        'Lumbar pain after moving house; no radiation.', ARRAY['Loxoprofen', 'Rebamipide'], 7, 'with food'),
    ('visitor-schmidt', 'Siobhán O''Connor', NULL, date '1990-02-28', NULL, 'J30.1', timestamptz '2026-03-06 08:50+01',
        'Hay fever, "the usual" since birch started.', ARRAY['Fexofenadine'], 30, 'twice a day'),
    ('visitor-nguyen', 'Nguyễn Thị Ánh', NULL, date '1983-12-05', '8100001', 'E78.5', timestamptz '2026-03-09 13:00+09',
        'LDL 172 mg/dL.', ARRAY['Rosuvastatin'], 90, 'in the evening')
), customer AS (
    INSERT INTO tenant.customer (name, title) SELECT DISTINCT customer, customer FROM visit ON CONFLICT DO NOTHING
), patient AS (
    INSERT INTO tenant.patient (customer, name, name_kana, born_on, postal_code, postal_code_seq)
    SELECT visit.customer, visit.name, visit.name_kana, visit.born_on, home.code, home.seq
    FROM visit
    LEFT JOIN LATERAL (
        SELECT code, seq FROM master.postal_code ORDER BY code >= visit.postal_code DESC, code, seq LIMIT 1
    ) home ON visit.postal_code IS NOT NULL
    RETURNING id, customer, name
), encounter AS (
    INSERT INTO tenant.encounter (customer, patient_id, disease_id, started_at, note)
    SELECT patient.customer, patient.id, disease.id, visit.started_at, visit.complaint
    FROM visit
    JOIN patient USING (customer, name)
    CROSS JOIN LATERAL (
        SELECT id FROM master.disease ORDER BY code >= visit.disease_code DESC, code LIMIT 1
    ) disease
    RETURNING id, customer, patient_id
)
INSERT INTO tenant.prescription (customer, encounter_id, drug_id, days, note)
SELECT encounter.customer, encounter.id, drug.id, visit.days, visit.advice
FROM visit
JOIN patient USING (customer, name)
JOIN encounter ON encounter.patient_id = patient.id
CROSS JOIN LATERAL unnest(visit.substances) AS substance
CROSS JOIN LATERAL (
    SELECT id FROM master.drug
    ORDER BY ingredients @> jsonb_build_array(jsonb_build_object('name', substance)) DESC, withdrawn_on IS NULL DESC, id LIMIT 1
) drug;
