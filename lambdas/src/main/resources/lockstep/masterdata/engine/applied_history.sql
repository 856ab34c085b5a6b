-- Adds the row of lockstep.applied to the history, unless its sync is already the newest entry, as after a repair.
INSERT INTO lockstep.applied_history (data_set, sync_id, snapshot_time, release, rollback, applied_at)
SELECT data_set, sync_id, snapshot_time, release, rollback, applied_at FROM lockstep.applied a
WHERE data_set = ?
  AND sync_id IS DISTINCT FROM (SELECT h.sync_id FROM lockstep.applied_history h WHERE h.data_set = a.data_set ORDER BY h.id DESC LIMIT 1)
