ALTER TABLE next.ingredient ADD PRIMARY KEY (id), ADD UNIQUE (code);
ALTER TABLE next.disease ADD PRIMARY KEY (id), ADD UNIQUE (code);
ALTER TABLE next.postal_code ADD PRIMARY KEY (code, seq);
ALTER TABLE next.drug_interaction ADD PRIMARY KEY (id);
CREATE INDEX ON next.drug_interaction (drug_id);
CREATE INDEX ON next.drug_interaction (other_drug_id);
