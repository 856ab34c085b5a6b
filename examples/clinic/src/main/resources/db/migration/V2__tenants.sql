-- What the customers of a shard enter. Refers to master rows and never leaves the shard.

CREATE SCHEMA tenant;

CREATE TABLE tenant.patient (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer        text   NOT NULL,  -- the clinic, or the visitor of the demo edition, that the patient belongs to
    name            text   NOT NULL,
    name_kana       text,
    born_on         date   NOT NULL,
    postal_code     text,
    postal_code_seq smallint,
    FOREIGN KEY (postal_code, postal_code_seq) REFERENCES master.postal_code (code, seq) MATCH FULL
);
CREATE INDEX patient_customer ON tenant.patient (customer);
CREATE INDEX patient_postal_code ON tenant.patient (postal_code, postal_code_seq);

CREATE TABLE tenant.encounter (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_id bigint      NOT NULL REFERENCES tenant.patient (id),
    disease_id bigint      NOT NULL REFERENCES master.disease (id),
    started_at timestamptz NOT NULL,
    note       text
);
CREATE INDEX encounter_patient_id ON tenant.encounter (patient_id);
CREATE INDEX encounter_disease_id ON tenant.encounter (disease_id);

CREATE TABLE tenant.prescription (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    encounter_id bigint   NOT NULL REFERENCES tenant.encounter (id),
    drug_id      bigint   NOT NULL REFERENCES master.drug (id),
    days         smallint NOT NULL CHECK (days > 0),
    note         text
);
CREATE INDEX prescription_encounter_id ON tenant.prescription (encounter_id);
CREATE INDEX prescription_drug_id ON tenant.prescription (drug_id);
