-- every {step}th key of the table, without the first: where its ranges begin
SELECT {key_text} FROM (
  SELECT {key}, row_number() OVER (ORDER BY {key}) - 1 AS n FROM {table} t WHERE {condition}
) AS numbered
WHERE n > 0 AND n % {step} = 0
ORDER BY n
