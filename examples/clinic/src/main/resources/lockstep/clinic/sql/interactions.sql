-- with the patient's current medication: prescribed in this encounter, or earlier for a period that has not ended
SELECT interaction.id, severity, other.name, mechanism
FROM master.drug_interaction interaction
JOIN master.drug other ON other.id = CASE WHEN interaction.drug_id = ? THEN other_drug_id ELSE interaction.drug_id END
WHERE (interaction.drug_id = ? OR other_drug_id = ?) AND other.id IN (
    SELECT prescription.drug_id FROM tenant.prescription JOIN tenant.encounter ON encounter.id = encounter_id
    WHERE patient_id = ? AND (encounter_id = ? OR started_at + days * interval '1 day' >= now()))
ORDER BY severity DESC, interaction.id
