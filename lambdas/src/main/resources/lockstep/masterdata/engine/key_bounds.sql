-- every {step}th key of the table except the first: the keys at which the ranges begin
SELECT {key_text} FROM (
  SELECT {select_key}, row_number() OVER (ORDER BY {key_order}) - 1 AS n FROM {table} t WHERE {condition}
) AS b
WHERE b.n > 0 AND b.n % {step} = 0
ORDER BY b.n
