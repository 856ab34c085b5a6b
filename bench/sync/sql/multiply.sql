-- Multiplies the drugs by :times, to measure a worker's memory.
INSERT INTO master.drug (id, code, name, name_kana, dosage_form, ingredients, strength_mg, price, approved_on, withdrawn_on, tags, revised_on) OVERRIDING SYSTEM VALUE
SELECT id + n::bigint * 1000000000, 'X' || n || code, name, name_kana, dosage_form, ingredients, strength_mg, price + n, approved_on, withdrawn_on, tags, revised_on
FROM master.drug, generate_series(1, :times - 1) AS n;
