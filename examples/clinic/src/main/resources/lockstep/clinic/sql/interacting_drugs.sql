SELECT taken.id, other.name, other.code
FROM master.drug_interaction JOIN master.drug taken ON taken.id = drug_id JOIN master.drug other ON other.id = other_drug_id
WHERE severity >= 'major' AND taken.withdrawn_on IS NULL AND other.withdrawn_on IS NULL
ORDER BY drug_interaction.id
LIMIT 50
