-- rows of an imported file that refer to a row that does not exist
SELECT s.{record}, ROW({columns})::text FROM {staging} s
WHERE {all_given} AND NOT EXISTS (SELECT FROM {parent} p WHERE {refers}) AND NOT ({refers_to_own})
ORDER BY 1 LIMIT {most}
