-- What the demo edition's own workers go by. They look across customers, so here is no policy and nothing that anybody typed.

CREATE TABLE tenant.activity (
    customer       text        PRIMARY KEY REFERENCES tenant.customer (name) ON DELETE CASCADE,
    last_active_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE tenant.activity IS 'The customers that expire when they are not active: those that visitors made.';
CREATE INDEX activity_last_active_at ON tenant.activity (last_active_at);

CREATE TABLE tenant.inquiry_outbox (
    inquiry_id  uuid        PRIMARY KEY REFERENCES tenant.inquiry (id) ON DELETE CASCADE,
    customer    text,
    tries       smallint    NOT NULL DEFAULT 0,
    next_try_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX inquiry_outbox_next_try_at ON tenant.inquiry_outbox (next_try_at);
