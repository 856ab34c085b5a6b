-- TRUNCATE and COPY in one transaction. Foreign keys from other tables must be dropped in the meantime.
-- Tables are locked in the readers' order to avoid deadlocks.
BEGIN;
LOCK TABLE master.drug, master.drug_interaction, master.postal_code, master.disease, master.ingredient, tenant.prescription, tenant.encounter, tenant.patient IN ACCESS EXCLUSIVE MODE;
ALTER TABLE tenant.prescription DROP CONSTRAINT prescription_drug_id_fkey;
ALTER TABLE tenant.encounter DROP CONSTRAINT encounter_disease_id_fkey;
ALTER TABLE tenant.patient DROP CONSTRAINT patient_postal_code_fkey;
TRUNCATE master.drug_interaction, master.drug, master.postal_code, master.disease, master.ingredient;
\copy master.ingredient FROM PROGRAM 'psql -X -q "$SOURCE" -c "COPY master.ingredient TO STDOUT"'
\copy master.disease FROM PROGRAM 'psql -X -q "$SOURCE" -c "COPY master.disease TO STDOUT"'
\copy master.postal_code FROM PROGRAM 'psql -X -q "$SOURCE" -c "COPY master.postal_code TO STDOUT"'
\copy master.drug FROM PROGRAM 'psql -X -q "$SOURCE" -c "COPY master.drug TO STDOUT"'
\copy master.drug_interaction FROM PROGRAM 'psql -X -q "$SOURCE" -c "COPY master.drug_interaction TO STDOUT"'
ALTER TABLE tenant.patient ADD CONSTRAINT patient_postal_code_fkey FOREIGN KEY (postal_code, postal_code_seq) REFERENCES master.postal_code (code, seq) MATCH FULL;
ALTER TABLE tenant.encounter ADD CONSTRAINT encounter_disease_id_fkey FOREIGN KEY (disease_id) REFERENCES master.disease (id);
ALTER TABLE tenant.prescription ADD CONSTRAINT prescription_drug_id_fkey FOREIGN KEY (drug_id) REFERENCES master.drug (id);
COMMIT;
