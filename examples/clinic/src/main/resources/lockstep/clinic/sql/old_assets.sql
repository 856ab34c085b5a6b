DELETE FROM tenant.asset WHERE generation NOT IN (
    SELECT generation FROM tenant.asset GROUP BY generation ORDER BY max(published_at) DESC LIMIT 2)
