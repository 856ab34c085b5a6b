-- Lockstep's own tables in a target database. The shard's administrator owns them; the writer may use them and create staging tables.
CREATE SCHEMA IF NOT EXISTS lockstep;

-- Tables of an earlier version with another structure are dropped: the next sync reads every table and finds the kept rows again.
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass('lockstep.sync') AND attname = 'differing') THEN
    DROP TABLE lockstep.sync, lockstep.kept_row;
  END IF;
END $$;

-- manifests that are being restored, and the one in force
CREATE TABLE IF NOT EXISTS lockstep.sync (
  data_set text NOT NULL,
  sync_id text NOT NULL,
  snapshot_time timestamptz NOT NULL,
  manifest text NOT NULL,
  staging text NOT NULL,                     -- suffix of the names of its staging tables
  decision text,                             -- what Preflight decided; NULL after it was carried out or discarded
  distrusted text[] NOT NULL DEFAULT '{}',   -- tables that turned out to differ from their record during this restore
  accepted_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (data_set, sync_id)
);

-- staged parts, each recorded in the transaction that copied it; unlogged like the staging tables, so that a crash of the
-- server empties both
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

-- the syncs that were in force, newest last; a rollback returns to one of these
CREATE TABLE IF NOT EXISTS lockstep.applied_history (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  data_set text NOT NULL,
  sync_id text NOT NULL,
  snapshot_time timestamptz NOT NULL,
  release text NOT NULL,
  rollback boolean NOT NULL,
  applied_at timestamptz NOT NULL
);
-- in a database that an earlier version prepared, the history begins with the sync in force
INSERT INTO lockstep.applied_history (data_set, sync_id, snapshot_time, release, rollback, applied_at)
SELECT data_set, sync_id, snapshot_time, release, rollback, applied_at FROM lockstep.applied a
WHERE NOT EXISTS (SELECT FROM lockstep.applied_history h WHERE h.data_set = a.data_set);

-- each table's fingerprint after the sync in force: changed files or counts of written rows show that someone has written to it since
CREATE TABLE IF NOT EXISTS lockstep.applied_table (
  data_set text NOT NULL,
  table_name text NOT NULL,
  files text NOT NULL,
  writes bigint NOT NULL,
  counted bigint NOT NULL,  -- rows counted as inserted into this table; a lower count later means that the server lost its counts
  PRIMARY KEY (data_set, table_name)
);

-- rows that the source deleted and that stay here while other rows refer to them
CREATE TABLE IF NOT EXISTS lockstep.kept_row (
  data_set text NOT NULL,
  table_name text NOT NULL,
  key text[] NOT NULL,  -- the key columns' text
  PRIMARY KEY (data_set, table_name, key)
);

-- how old the master data is, for the product to display; the only object here that everyone may read
CREATE OR REPLACE VIEW lockstep.freshness AS SELECT data_set, snapshot_time FROM lockstep.applied;
GRANT USAGE ON SCHEMA lockstep TO PUBLIC;
GRANT SELECT ON lockstep.freshness TO PUBLIC;

-- Counts the sessions that may not have reported all rows that they wrote before a moment, so that the server's counts may lack committed
-- writes. A session reports at the end of a transaction unless it did so within the last second, after ten seconds of idling, when it ends,
-- and at the end of a transaction whatever it has kept for a minute. It has nothing to hide if its state has not changed since "since", the
-- moment from which on writes matter. Runs as the administrator, because others see no times of sessions that are not their own. Where the
-- administrator does not see them either, every other session counts.
CREATE OR REPLACE FUNCTION lockstep.unreported_sessions(since timestamptz, moment timestamptz) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT count(*) FROM pg_stat_activity a
  WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.backend_type IS DISTINCT FROM 'autovacuum worker'
    AND NOT coalesce(a.state = 'idle' AND (a.state_change < clock_timestamp() - interval '20 s' OR a.state_change > moment + interval '65 s')
                     OR greatest(a.state_change, a.xact_start) < since, false)
$$;
REVOKE ALL ON FUNCTION lockstep.unreported_sessions FROM PUBLIC;
