-- Drops what keys.sql created, because many rows are written faster without keys and indexes; keys.sql recreates them afterwards.
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint
WHERE connamespace = 'master'::regnamespace AND conrelid > 0 AND (contype IN ('f', 'p', 'u') OR conrelid IN ('master.drug'::regclass, 'master.drug_interaction'::regclass))
ORDER BY contype <> 'f' \gexec
DROP INDEX master.drug_interaction_drug_id, master.drug_interaction_other_drug_id;
