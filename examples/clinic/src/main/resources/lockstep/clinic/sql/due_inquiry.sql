-- an inquiry that no other instance is sending
SELECT inquiry_id, customer, tries FROM tenant.inquiry_outbox
WHERE next_try_at <= now() ORDER BY next_try_at LIMIT 1
FOR UPDATE SKIP LOCKED
