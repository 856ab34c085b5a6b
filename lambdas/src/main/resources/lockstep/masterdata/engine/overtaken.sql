SELECT DISTINCT p.sync_id
FROM lockstep.staged_part p
JOIN lockstep.applied a ON a.data_set = p.data_set
JOIN lockstep.sync s ON s.data_set = p.data_set AND s.sync_id = p.sync_id
WHERE p.data_set = ? AND s.snapshot_time < a.snapshot_time
