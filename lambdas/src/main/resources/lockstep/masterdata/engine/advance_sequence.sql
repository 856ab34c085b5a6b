-- never backwards: the target may have used more values than the source
SELECT setval({sequence}, greatest(q.last_value, m.highest), q.is_called OR m.highest IS NOT NULL)
FROM {sequence_name} q, (SELECT max({column}) AS highest FROM {table}) m
WHERE m.highest IS NOT NULL AND (m.highest > q.last_value OR NOT q.is_called)
