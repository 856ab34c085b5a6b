-- The content of the five tables: row counts and the sum of the hashes of all rows' texts. It shares no code with any contender.
SELECT 'ingredient', count(*), sum(hashtextextended(t::text, 0)::numeric) FROM master.ingredient t
UNION ALL SELECT 'disease', count(*), sum(hashtextextended(t::text, 0)::numeric) FROM master.disease t
UNION ALL SELECT 'postal_code', count(*), sum(hashtextextended(t::text, 0)::numeric) FROM master.postal_code t
UNION ALL SELECT 'drug', count(*), sum(hashtextextended(t::text, 0)::numeric) FROM master.drug t
UNION ALL SELECT 'drug_interaction', count(*), sum(hashtextextended(t::text, 0)::numeric) FROM master.drug_interaction t
ORDER BY 1
