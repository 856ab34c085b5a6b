INSERT INTO lockstep.sync (data_set, sync_id, snapshot_time, manifest, staging, decision) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (data_set, sync_id) DO UPDATE SET manifest = excluded.manifest, decision = excluded.decision, accepted_at = now()
WHERE sync.decision IS NULL
