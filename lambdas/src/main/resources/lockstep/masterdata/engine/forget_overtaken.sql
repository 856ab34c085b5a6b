-- deletes manifests that are older than the one in force and so can no longer be applied, except the one being prepared
DELETE FROM lockstep.sync s USING lockstep.applied a
WHERE s.data_set = ? AND a.data_set = s.data_set AND s.snapshot_time < a.snapshot_time AND s.sync_id NOT IN (a.sync_id, ?)
  -- a running rollback may take four hours
  AND NOT (coalesce((s.decision::jsonb ->> 'rollback')::boolean, false) AND s.accepted_at > now() - interval '4 hours')
