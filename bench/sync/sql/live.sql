-- Visitors' data at the target: a quarter as many rows as drugs, all of which refer to master rows. Also a view and a grant
-- to the product's login, which a refresh must not lose.
\set patients :drugs ' / 40'
\set encounters :drugs ' * 3 / 40'
\set prescriptions :drugs ' * 6 / 40'

CREATE FUNCTION pg_temp.refer(i bigint, seed bigint, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    RETURN (SELECT CASE WHEN x % 7 = 3 THEN x - 1 ELSE x END FROM (SELECT 1 + (hashint8extended(i, seed) % n + n) % n AS x) AS drawn);

CREATE SCHEMA tenant;
CREATE TABLE tenant.patient (id bigint PRIMARY KEY, name text NOT NULL, postal_code text, postal_code_seq smallint);
CREATE TABLE tenant.encounter (id bigint PRIMARY KEY, patient_id bigint NOT NULL, disease_id bigint NOT NULL, note text);
CREATE TABLE tenant.prescription (id bigint PRIMARY KEY, encounter_id bigint NOT NULL, drug_id bigint NOT NULL, days smallint NOT NULL);

INSERT INTO tenant.patient SELECT i, '患者 ' || i, lpad((r / 2)::text, 7, '0'), r % 2
FROM generate_series(1, :patients) AS i, LATERAL (SELECT pg_temp.refer(i, 31, :drugs / 5) AS r) AS referred;
INSERT INTO tenant.encounter SELECT i, 1 + i % (:patients), pg_temp.refer(i, 32, :drugs / 10), '再診' FROM generate_series(1, :encounters) AS i;
INSERT INTO tenant.prescription SELECT i, 1 + i % (:encounters), pg_temp.refer(i, 33, :drugs), 1 + i % 28 FROM generate_series(1, :prescriptions) AS i;

ALTER TABLE tenant.patient ADD CONSTRAINT patient_postal_code_fkey FOREIGN KEY (postal_code, postal_code_seq) REFERENCES master.postal_code (code, seq) MATCH FULL;
ALTER TABLE tenant.encounter ADD CONSTRAINT encounter_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES tenant.patient (id),
    ADD CONSTRAINT encounter_disease_id_fkey FOREIGN KEY (disease_id) REFERENCES master.disease (id);
ALTER TABLE tenant.prescription ADD CONSTRAINT prescription_encounter_id_fkey FOREIGN KEY (encounter_id) REFERENCES tenant.encounter (id),
    ADD CONSTRAINT prescription_drug_id_fkey FOREIGN KEY (drug_id) REFERENCES master.drug (id);
CREATE INDEX patient_postal_code ON tenant.patient (postal_code, postal_code_seq);
CREATE INDEX encounter_disease_id ON tenant.encounter (disease_id);
CREATE INDEX prescription_drug_id ON tenant.prescription (drug_id);

CREATE VIEW tenant.price_list AS SELECT id, name, price FROM master.drug WHERE withdrawn_on IS NULL;
GRANT USAGE ON SCHEMA master, tenant TO product;
GRANT SELECT ON ALL TABLES IN SCHEMA master, tenant TO product;
