-- The files that pages of the two newest releases use: while tasks of both are there, a page of one may ask a task of the other.
CREATE TABLE tenant.asset (
    path         text        PRIMARY KEY,
    type         text        NOT NULL,
    content      bytea       NOT NULL,
    generation   text        NOT NULL,
    published_at timestamptz NOT NULL
);
COMMENT ON COLUMN tenant.asset.generation IS 'Digest of all files of a release: releases with the same files are one generation.';
