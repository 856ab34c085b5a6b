-- The initial rows. They are computed from their number, so they are the same everywhere. The variable drugs is the number of drugs;
-- the other tables scale with it. Rows whose number is 3 modulo 7 are never referenced (see mutate.sql).
\set interactions :drugs ' * 3 / 4'
\set ingredients :drugs ' / 10'
\set diseases :drugs ' / 10'
\set postal_codes :drugs ' / 5'

-- a number from 0 to n, by a hash of the row's number
CREATE FUNCTION pg_temp.pick(i bigint, seed bigint, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    RETURN (hashint8extended(i, seed) % n + n) % n;
CREATE FUNCTION pg_temp.word(i bigint, seed bigint, words text[]) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN words[1 + pg_temp.pick(i, seed, cardinality(words))];
-- a row from 1 to n that may be referenced
CREATE FUNCTION pg_temp.refer(i bigint, seed bigint, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    RETURN (SELECT CASE WHEN x % 7 = 3 THEN x - 1 ELSE x END FROM (SELECT 1 + pg_temp.pick(i, seed, n) AS x) AS drawn);

INSERT INTO master.ingredient (id, code, name, revised_on)
SELECT i, 'G' || lpad(i::text, 7, '0'), pg_temp.word(i, 1, '{アムロジピン,カンデサルタン,メトホルミン,レバミピド,ロスバスタチン}') || pg_temp.pick(i, 2, 10000), date '2026-01-01'
FROM generate_series(1, :ingredients) AS i;

INSERT INTO master.disease (id, code, name, category, billable, synonyms, valid_to, revised_on)
SELECT i, chr(65 + (i % 26)::int) || lpad((i / 26)::text, 5, '0'), pg_temp.word(i, 3, '{本態性高血圧症,急性気管支炎,アレルギー性鼻炎,胃食道逆流症,腰痛症}') || '・' || pg_temp.pick(i, 4, 1000),
    chr(65 + (i % 26)::int) || lpad((pg_temp.pick(i, 5, 100))::text, 2, '0'), i % 9 > 0,
    CASE WHEN i % 4 = 0 THEN ARRAY[pg_temp.word(i, 6, '{hypertension,bronchitis,hay fever,reflux}')] ELSE '{}' END,
    CASE WHEN i % 50 = 0 THEN date '2025-12-31' END, date '2026-01-01'
FROM generate_series(1, :diseases) AS i;

INSERT INTO master.postal_code (code, seq, prefecture, town, revised_on)
SELECT lpad((i / 2)::text, 7, '0'), i % 2, pg_temp.word(i / 10000, 7, '{東京都,大阪府,北海道,福岡県,宮城県}'), CASE WHEN i % 20 > 0 THEN pg_temp.word(i, 8, '{本町,緑ヶ丘,中央,栄町}') || i % 9 || '丁目' END, date '2026-01-01'
FROM generate_series(1, :postal_codes) AS i;

INSERT INTO master.drug (id, code, name, name_kana, dosage_form, ingredients, strength_mg, price, approved_on, withdrawn_on, tags, revised_on)
OVERRIDING SYSTEM VALUE
SELECT i, 'D' || lpad(i::text, 8, '0'), pg_temp.word(i, 11, '{アムロ錠,カンデ錠,メトグル錠,レバミ顆粒,ロスバ錠,フェキソ点眼液}') || pg_temp.pick(i, 12, 100) || 'mg「' || pg_temp.word(i, 13, '{沢井,東和,日医工,武田}') || '」',
    pg_temp.word(i, 11, '{アムロ,カンデ,メトグル,レバミ,ロスバ,フェキソ}') || pg_temp.word(i, 13, '{「サワイ」,「トーワ」,「ニチイコー」,「タケダ」}'), pg_temp.word(i, 14, '{錠剤,顆粒,注射,点眼}'),
    jsonb_build_array(jsonb_build_object('name', pg_temp.word(i, 15, '{Amlodipine,Candesartan,Metformin,Rebamipide,Rosuvastatin}'), 'mg', pg_temp.pick(i, 16, 500), 'salt', pg_temp.word(i, 20, '{hydrochloride,besilate,calcium,none}'), 'unit', 'mg')),
    round(pg_temp.pick(i, 17, 5000) / 10.0, 1), pg_temp.pick(i, 18, 1000000) / 100.0, date '1990-01-01' + pg_temp.pick(i, 19, 12000)::int,
    CASE WHEN i % 40 = 0 THEN date '2025-06-30' END, CASE WHEN i % 3 = 0 THEN ARRAY['generic', 'otc'] ELSE ARRAY['rx'] END, date '2026-01-01'
FROM generate_series(1, :drugs) AS i;

INSERT INTO master.drug_interaction (id, drug_id, other_drug_id, severity, mechanism, evidence, revised_on)
SELECT i, one, CASE WHEN other = one THEN (CASE WHEN one = 1 THEN 2 ELSE 1 END) ELSE other END, (ARRAY['minor', 'moderate', 'major', 'contraindicated'])[1 + i % 4]::master.interaction_severity,
    pg_temp.word(i, 21, '{CYP3A4 の阻害による,QT 間隔の延長,血中濃度の上昇,吸収の低下による}'), CASE WHEN i % 3 = 0 THEN jsonb_build_object('pmid', pg_temp.pick(i, 22, 40000000)) END, date '2026-01-01'
FROM generate_series(1, :interactions) AS i, LATERAL (SELECT pg_temp.refer(i, 23, :drugs) AS one, pg_temp.refer(i, 24, :drugs) AS other) AS pair;
