INSERT INTO lockstep.applied (data_set, sync_id, snapshot_time, release, rollback, applied_at) VALUES (?, ?, ?, ?, ?, now())
ON CONFLICT (data_set) DO UPDATE SET sync_id = excluded.sync_id, snapshot_time = excluded.snapshot_time,
  release = excluded.release, rollback = excluded.rollback, applied_at = excluded.applied_at
