-- Advances the sequence, in its own direction, to the outermost of the column's values within its bounds. It never moves back, because the target
-- may have used more values than the source. Returns a value beyond the bounds, if there is one.
WITH bounds AS (
  SELECT seqmin, seqmax, seqincrement > 0 AS up FROM pg_sequence WHERE seqrelid = {sequence}::regclass
), held AS (
  SELECT CASE WHEN b.up THEN (SELECT max(t.{column}) FROM {table} t) ELSE (SELECT min(t.{column}) FROM {table} t) END::numeric AS outermost,
         CASE WHEN b.up THEN floor((SELECT max(t.{column}) FROM {table} t WHERE t.{column} BETWEEN b.seqmin AND b.seqmax)::numeric)
              ELSE ceil((SELECT min(t.{column}) FROM {table} t WHERE t.{column} BETWEEN b.seqmin AND b.seqmax)::numeric) END::int8 AS last
  FROM bounds b
), moved AS (
  SELECT setval({sequence}, h.last, true)
  FROM held h, bounds b, {sequence_name} q
  WHERE CASE WHEN b.up THEN h.last > q.last_value ELSE h.last < q.last_value END OR NOT q.is_called AND h.last = q.last_value
)
SELECT CASE WHEN CASE WHEN b.up THEN h.outermost > b.seqmax ELSE h.outermost < b.seqmin END THEN h.outermost::text END, (SELECT count(*) FROM moved)
FROM held h, bounds b
