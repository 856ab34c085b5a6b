#!/usr/bin/env bash
# A manual swap: fills and indexes new tables beside the old ones, then exchanges them quickly; keys are added NOT VALID, then validated.
. "$CONTENDERS/common.sh"
target_sql -f "$CONTENDERS/swap-tables.sql"
copy_tables next
drug() { target_sql -c "SET maintenance_work_mem = '256MB'" -c "ALTER TABLE next.drug ADD PRIMARY KEY (id), ADD UNIQUE (code)"; }
rest() { target_sql -c "SET maintenance_work_mem = '256MB'" -f "$CONTENDERS/swap-indexes.sql"; }
both drug rest
target_sql -c "ANALYZE next.drug, next.drug_interaction, next.postal_code, next.disease, next.ingredient"
target_sql -f "$CONTENDERS/swap-exchange.sql"
one() { target_sql -c "ALTER TABLE tenant.prescription VALIDATE CONSTRAINT prescription_drug_id_fkey" -c "ALTER TABLE tenant.encounter VALIDATE CONSTRAINT encounter_disease_id_fkey" \
    -c "ALTER TABLE tenant.patient VALIDATE CONSTRAINT patient_postal_code_fkey" -c "ALTER TABLE master.drug_interaction VALIDATE CONSTRAINT drug_interaction_drug_id_fkey"; }
other() { target_sql -c "ALTER TABLE master.drug_interaction VALIDATE CONSTRAINT drug_interaction_other_drug_id_fkey"; }
one; other
target_sql -c "SET client_min_messages = warning" -c "DROP SCHEMA old CASCADE"
