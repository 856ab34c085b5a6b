INSERT INTO tenant.asset (path, type, content, generation, published_at) VALUES (?, ?, ?, ?, clock_timestamp())
ON CONFLICT (path) DO UPDATE SET generation = excluded.generation, published_at = excluded.published_at
