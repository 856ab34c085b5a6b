SELECT title, full_name FROM tenant.account JOIN tenant.customer ON customer.name = account.customer
WHERE username = ? AND sessions_from <= ?
