-- returns no row if the user does not exist or had too many recent attempts
UPDATE tenant.account
SET tries = CASE WHEN tried_at > now() - interval '5 minutes' THEN tries + 1 ELSE 1 END, tried_at = now()
FROM tenant.customer
WHERE customer.name = account.customer AND username = ? AND (tries < 5 OR tried_at <= now() - interval '5 minutes')
RETURNING password_hash, title, full_name, now()
