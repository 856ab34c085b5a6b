INSERT INTO tenant.account (username, full_name, password_hash) VALUES (?, ?, ?)
ON CONFLICT (customer, username) DO UPDATE
SET full_name = excluded.full_name, password_hash = excluded.password_hash, sessions_from = now(), tries = 0
