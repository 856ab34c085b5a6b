-- All privileges of the application; others are revoked. %1$s is the role.
REVOKE ALL ON ALL TABLES IN SCHEMA master, tenant FROM %1$s;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA master, tenant FROM %1$s;
GRANT USAGE ON SCHEMA master, tenant TO %1$s;
GRANT SELECT ON master.disease, master.postal_code, master.drug_interaction TO %1$s;
GRANT SELECT (id, code, name, name_kana, dosage_form, ingredients, strength_mg, price, approved_on, withdrawn_on, tags) ON master.drug TO %1$s;
GRANT SELECT, INSERT, UPDATE, DELETE ON tenant.patient, tenant.account, tenant.inquiry, tenant.activity, tenant.inquiry_outbox TO %1$s;
GRANT SELECT, INSERT, DELETE ON tenant.customer, tenant.encounter, tenant.prescription, tenant.accepted_interaction TO %1$s;
GRANT SELECT ON tenant.asset TO %1$s;
