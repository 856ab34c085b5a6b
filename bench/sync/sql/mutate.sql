-- Changes one row in every :stride, evenly spread, in all tables (:drugs_only is 0) or only in the drugs. About one in 49 of these rows
-- is deleted, but never a referenced one (only numbers that are 3 modulo 7 are unreferenced, see rows.sql), and as many new rows are inserted.
SELECT :drugs_only = 0 AS everywhere \gset

CREATE FUNCTION pg_temp.chosen(i bigint, stride bigint) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN i % stride = stride - 1;
CREATE FUNCTION pg_temp.goes(i bigint, stride bigint) RETURNS boolean LANGUAGE sql IMMUTABLE
    RETURN i % stride = stride - 1 AND i % 7 = 3 AND (i / stride) % 7 = 1;

WITH gone AS (DELETE FROM master.drug WHERE pg_temp.goes(id, :stride) RETURNING id)
INSERT INTO master.drug (id, code, name, name_kana, dosage_form, ingredients, strength_mg, price, approved_on, tags, revised_on) OVERRIDING SYSTEM VALUE
SELECT 100000000 + id, 'N' || id, '新薬 ' || id, 'シンヤク', '錠剤', '[]', 1, 1, date '2026-02-01', '{new}', date '2026-02-01' FROM gone;
UPDATE master.drug SET price = price + 1, revised_on = date '2026-02-01' WHERE pg_temp.chosen(id, :stride) AND id <= :drugs;

\if :everywhere
WITH gone AS (DELETE FROM master.ingredient WHERE pg_temp.goes(id, :stride) RETURNING id)
INSERT INTO master.ingredient SELECT 100000000 + id, 'N' || id, '新成分', date '2026-02-01' FROM gone;
UPDATE master.ingredient SET name = name || '水和物', revised_on = date '2026-02-01' WHERE pg_temp.chosen(id, :stride) AND id <= :drugs;

WITH gone AS (DELETE FROM master.disease WHERE pg_temp.goes(id, :stride) RETURNING id)
INSERT INTO master.disease SELECT 100000000 + id, 'N' || id, '新病名', 'N00', true, '{}', NULL, date '2026-02-01' FROM gone;
UPDATE master.disease SET billable = NOT billable, revised_on = date '2026-02-01' WHERE pg_temp.chosen(id, :stride) AND id <= :drugs;

WITH gone AS (DELETE FROM master.postal_code WHERE pg_temp.goes(code::bigint * 2 + seq, :stride) RETURNING code, seq)
INSERT INTO master.postal_code SELECT '9' || right(code, 6), seq, '東京都', '新町', date '2026-02-01' FROM gone;
UPDATE master.postal_code SET town = coalesce(town, '') || '上', revised_on = date '2026-02-01'
WHERE pg_temp.chosen(code::bigint * 2 + seq, :stride) AND code < '9';

WITH gone AS (DELETE FROM master.drug_interaction WHERE pg_temp.goes(id, :stride) RETURNING *)
INSERT INTO master.drug_interaction SELECT 100000000 + id, drug_id, other_drug_id, 'minor', 'CYP2D6 阻害', evidence, date '2026-02-01' FROM gone;
UPDATE master.drug_interaction SET mechanism = mechanism || '（改）', revised_on = date '2026-02-01' WHERE pg_temp.chosen(id, :stride) AND id <= :drugs;
\endif
