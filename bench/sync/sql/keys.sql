ALTER TABLE master.ingredient ADD PRIMARY KEY (id), ADD UNIQUE (code);
ALTER TABLE master.disease ADD PRIMARY KEY (id), ADD UNIQUE (code);
ALTER TABLE master.postal_code ADD PRIMARY KEY (code, seq);
ALTER TABLE master.drug ADD PRIMARY KEY (id), ADD UNIQUE (code), ADD CHECK (withdrawn_on > approved_on);
ALTER TABLE master.drug_interaction ADD PRIMARY KEY (id), ADD CHECK (drug_id <> other_drug_id),
    ADD FOREIGN KEY (drug_id) REFERENCES master.drug (id), ADD FOREIGN KEY (other_drug_id) REFERENCES master.drug (id);
CREATE INDEX drug_interaction_drug_id ON master.drug_interaction (drug_id);
CREATE INDEX drug_interaction_other_drug_id ON master.drug_interaction (other_drug_id);
