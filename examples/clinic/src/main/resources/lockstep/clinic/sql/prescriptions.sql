SELECT encounter_id, code, drug.name, days, prescription.note,
       (SELECT count(*) FROM tenant.accepted_interaction WHERE prescription_id = prescription.id)
FROM tenant.prescription JOIN tenant.encounter ON encounter.id = encounter_id JOIN master.drug ON drug.id = drug_id
WHERE patient_id = ?
ORDER BY prescription.id
