-- Who may use the application, and the walls between customers.

CREATE TABLE tenant.customer (
    name       text        PRIMARY KEY,  -- never something that a person typed: it stands in addresses, cookies and logs
    title      text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO tenant.customer (name, title) SELECT DISTINCT customer, customer FROM tenant.patient;

-- Each row says whose it is, so that a policy need look at nothing else; the keys hold a row and its parent together.
ALTER TABLE tenant.patient
    ALTER COLUMN customer SET DEFAULT current_setting('clinic.customer'),
    ADD COLUMN street text,
    ADD FOREIGN KEY (customer) REFERENCES tenant.customer (name),
    ADD UNIQUE (customer, id);
ALTER TABLE tenant.encounter ADD COLUMN customer text;
UPDATE tenant.encounter SET customer = patient.customer FROM tenant.patient WHERE patient.id = patient_id;
ALTER TABLE tenant.encounter
    ALTER COLUMN customer SET DEFAULT current_setting('clinic.customer'),
    ALTER COLUMN customer SET NOT NULL,
    ADD FOREIGN KEY (customer, patient_id) REFERENCES tenant.patient (customer, id),
    ADD UNIQUE (customer, id);
ALTER TABLE tenant.prescription ADD COLUMN customer text;
UPDATE tenant.prescription SET customer = encounter.customer FROM tenant.encounter WHERE encounter.id = encounter_id;
ALTER TABLE tenant.prescription
    ALTER COLUMN customer SET DEFAULT current_setting('clinic.customer'),
    ALTER COLUMN customer SET NOT NULL,
    ADD FOREIGN KEY (customer, encounter_id) REFERENCES tenant.encounter (customer, id),
    ADD UNIQUE (customer, id);
CREATE INDEX patient_customer_name ON tenant.patient (customer, name);

-- Interactions that the prescriber was warned of and accepted.
CREATE TABLE tenant.accepted_interaction (
    customer        text   NOT NULL DEFAULT current_setting('clinic.customer'),
    prescription_id bigint NOT NULL,
    interaction_id  bigint NOT NULL REFERENCES master.drug_interaction (id),
    PRIMARY KEY (prescription_id, interaction_id),
    FOREIGN KEY (customer, prescription_id) REFERENCES tenant.prescription (customer, id)
);
CREATE INDEX accepted_interaction_prescription ON tenant.accepted_interaction (customer, prescription_id);
CREATE INDEX accepted_interaction_interaction_id ON tenant.accepted_interaction (interaction_id);

CREATE TABLE tenant.account (
    customer      text        NOT NULL DEFAULT current_setting('clinic.customer') REFERENCES tenant.customer (name),
    username      text        NOT NULL,
    full_name     text        NOT NULL,
    email         text,
    password_hash text        NOT NULL,
    sessions_from timestamptz NOT NULL DEFAULT now(),  -- a session that began earlier has ended
    tries         smallint    NOT NULL DEFAULT 0,      -- to log in, since the last success
    tried_at      timestamptz,
    PRIMARY KEY (customer, username)
);

-- Questions to sales and wishes for a meeting. No customer: nobody was logged in.
CREATE TABLE tenant.inquiry (
    id         uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    customer   text        DEFAULT nullif(current_setting('clinic.customer', true), '') REFERENCES tenant.customer (name),
    name       text        NOT NULL,
    email      text        NOT NULL,
    message    text        NOT NULL,
    meeting_on date,
    meeting_at text        CHECK (meeting_at IN ('morning', 'afternoon')),
    created_at timestamptz NOT NULL DEFAULT now(),
    told_at    timestamptz  -- when sales was told of it
);
CREATE INDEX inquiry_customer ON tenant.inquiry (customer);

ALTER TABLE tenant.customer ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant.patient ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant.encounter ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant.prescription ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant.accepted_interaction ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant.account ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant.inquiry ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON tenant.customer USING (name = current_setting('clinic.customer', true));
CREATE POLICY own ON tenant.patient USING (customer = current_setting('clinic.customer', true));
CREATE POLICY own ON tenant.encounter USING (customer = current_setting('clinic.customer', true));
CREATE POLICY own ON tenant.prescription USING (customer = current_setting('clinic.customer', true));
CREATE POLICY own ON tenant.accepted_interaction USING (customer = current_setting('clinic.customer', true));
CREATE POLICY own ON tenant.account USING (customer = current_setting('clinic.customer', true));
CREATE POLICY own ON tenant.inquiry USING (customer IS NOT DISTINCT FROM nullif(current_setting('clinic.customer', true), ''));
