-- What Lockstep keeps in a target database. Owned by the shard's administrator; the writer may use it and make staging tables.
CREATE SCHEMA IF NOT EXISTS lockstep;

-- What an earlier version kept in another form goes: the next sync reads every table, and finds the rows to keep again.
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass('lockstep.sync') AND attname = 'differing') THEN
    DROP TABLE lockstep.sync, lockstep.kept_row;
  END IF;
END $$;

-- manifests that were accepted and are being restored, and the one in force
CREATE TABLE IF NOT EXISTS lockstep.sync (
  data_set text NOT NULL,
  sync_id text NOT NULL,
  snapshot_time timestamptz NOT NULL,
  manifest text NOT NULL,
  staging text NOT NULL,                     -- how the names of its staging tables end
  decision text,                             -- what Preflight decided; NULL when that is done with
  distrusted text[] NOT NULL DEFAULT '{}',   -- tables found to hold something else than was recorded while restoring this
  accepted_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (data_set, sync_id)
);

-- parts that lie in staging, each noted in the transaction that copied it; unlogged as the staging tables are, so that a
-- crash of the server empties both
CREATE UNLOGGED TABLE IF NOT EXISTS lockstep.staged_part (
  data_set text NOT NULL,
  sync_id text NOT NULL,
  part integer NOT NULL,
  rows bigint NOT NULL,
  PRIMARY KEY (data_set, sync_id, part)
);

-- the sync in force
CREATE TABLE IF NOT EXISTS lockstep.applied (
  data_set text PRIMARY KEY,
  sync_id text NOT NULL,
  snapshot_time timestamptz NOT NULL,
  release text NOT NULL,
  applied_at timestamptz NOT NULL
);
ALTER TABLE lockstep.applied ADD COLUMN IF NOT EXISTS rollback boolean NOT NULL DEFAULT false;

-- which syncs were in force before, the newest last; a rollback goes back to one of these
CREATE TABLE IF NOT EXISTS lockstep.applied_history (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  data_set text NOT NULL,
  sync_id text NOT NULL,
  snapshot_time timestamptz NOT NULL,
  release text NOT NULL,
  rollback boolean NOT NULL,
  applied_at timestamptz NOT NULL
);
-- a database that an earlier version prepared begins with what is in force
INSERT INTO lockstep.applied_history (data_set, sync_id, snapshot_time, release, rollback, applied_at)
SELECT data_set, sync_id, snapshot_time, release, rollback, applied_at FROM lockstep.applied a
WHERE NOT EXISTS (SELECT FROM lockstep.applied_history h WHERE h.data_set = a.data_set);

-- how each table was left by the sync in force: by its files and the server's count of rows written one sees whether anybody wrote since
CREATE TABLE IF NOT EXISTS lockstep.applied_table (
  data_set text NOT NULL,
  table_name text NOT NULL,
  files text NOT NULL,
  writes bigint NOT NULL,
  counted bigint NOT NULL,  -- rows counted as inserted here: fewer later means that the server lost its counts
  PRIMARY KEY (data_set, table_name)
);

-- rows that the source deleted and that stay while other rows refer to them
CREATE TABLE IF NOT EXISTS lockstep.kept_row (
  data_set text NOT NULL,
  table_name text NOT NULL,
  key text[] NOT NULL,  -- the key columns' text
  PRIMARY KEY (data_set, table_name, key)
);

-- how old the master data is, for the product to show: nothing else here is for everybody
CREATE OR REPLACE VIEW lockstep.freshness AS SELECT data_set, snapshot_time FROM lockstep.applied;
GRANT USAGE ON SCHEMA lockstep TO PUBLIC;
GRANT SELECT ON lockstep.freshness TO PUBLIC;
