SELECT code || '-' || seq, concat_ws(' ', '〒' || left(code, 3) || '-' || right(code, 4), prefecture, city, town), kana
FROM master.postal_code WHERE code LIKE ? ORDER BY code, seq LIMIT 20
