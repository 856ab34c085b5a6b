-- syncs that left staging tables but can no longer be published, because they are older than the one in force; except the one being prepared
SELECT s.sync_id
FROM lockstep.sync s
JOIN lockstep.applied a ON a.data_set = s.data_set
WHERE s.data_set = ? AND s.snapshot_time < a.snapshot_time AND s.sync_id <> ?
  -- a running rollback may take four hours
  AND NOT (coalesce((s.decision::jsonb ->> 'rollback')::boolean, false) AND s.accepted_at > now() - interval '4 hours')
  AND EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = 'lockstep'::regnamespace AND c.relname LIKE 'staging\_%\_' || s.staging)
