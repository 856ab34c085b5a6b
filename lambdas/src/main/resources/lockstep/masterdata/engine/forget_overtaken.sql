-- manifests that can't come into force any more, except the one that is and the one at hand
DELETE FROM lockstep.sync s USING lockstep.applied a
WHERE s.data_set = ? AND a.data_set = s.data_set AND s.snapshot_time < a.snapshot_time AND s.sync_id NOT IN (a.sync_id, ?)
  -- a rollback that is under way may take four hours
  AND NOT (coalesce((s.decision::jsonb ->> 'rollback')::boolean, false) AND s.accepted_at > now() - interval '4 hours')
