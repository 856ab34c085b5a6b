-- Grants must be granted again, and views refer to the old tables until they are recreated; both belong to the exchange.
-- The view is not recreated here, because a manual swap must know every view.
BEGIN;
LOCK TABLE master.drug, master.drug_interaction, master.postal_code, master.disease, master.ingredient, tenant.prescription, tenant.encounter, tenant.patient IN ACCESS EXCLUSIVE MODE;
CREATE SCHEMA old;
ALTER TABLE tenant.prescription DROP CONSTRAINT prescription_drug_id_fkey;
ALTER TABLE tenant.encounter DROP CONSTRAINT encounter_disease_id_fkey;
ALTER TABLE tenant.patient DROP CONSTRAINT patient_postal_code_fkey;
ALTER TABLE master.drug_interaction SET SCHEMA old;
ALTER TABLE master.drug SET SCHEMA old;
ALTER TABLE master.postal_code SET SCHEMA old;
ALTER TABLE master.disease SET SCHEMA old;
ALTER TABLE master.ingredient SET SCHEMA old;
ALTER TABLE next.ingredient SET SCHEMA master;
ALTER TABLE next.disease SET SCHEMA master;
ALTER TABLE next.postal_code SET SCHEMA master;
ALTER TABLE next.drug SET SCHEMA master;
ALTER TABLE next.drug_interaction SET SCHEMA master;
GRANT SELECT ON ALL TABLES IN SCHEMA master TO product;
ALTER TABLE master.drug_interaction ADD CONSTRAINT drug_interaction_drug_id_fkey FOREIGN KEY (drug_id) REFERENCES master.drug (id) NOT VALID,
    ADD CONSTRAINT drug_interaction_other_drug_id_fkey FOREIGN KEY (other_drug_id) REFERENCES master.drug (id) NOT VALID;
ALTER TABLE tenant.patient ADD CONSTRAINT patient_postal_code_fkey FOREIGN KEY (postal_code, postal_code_seq) REFERENCES master.postal_code (code, seq) MATCH FULL NOT VALID;
ALTER TABLE tenant.encounter ADD CONSTRAINT encounter_disease_id_fkey FOREIGN KEY (disease_id) REFERENCES master.disease (id) NOT VALID;
ALTER TABLE tenant.prescription ADD CONSTRAINT prescription_drug_id_fkey FOREIGN KEY (drug_id) REFERENCES master.drug (id) NOT VALID;
COMMIT;
