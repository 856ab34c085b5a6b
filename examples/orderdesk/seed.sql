WITH list AS (
    INSERT INTO "Order Desk"."priceList" ("listName", "Currency", "validFrom")
    VALUES ('Retail', 'EUR', '2026-01-01'), ('Großhandel', 'EUR', '2026-04-01'), ('卸売', 'JPY', '2026-07-01')
    RETURNING "id"
)
INSERT INTO "Order Desk"."lineItem" ("listId", "articleNo", "Description", "unitPrice")
SELECT "id", 'A-' || lpad(number::text, 4, '0'), 'Article ' || number || E'\twith a tab', round(number * 1.25 / "id", 2)
FROM list CROSS JOIN generate_series(1, 400) AS number;
