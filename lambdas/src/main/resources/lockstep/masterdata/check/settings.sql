-- How values read as text, for both sides alike, and what would keep the check from its answer. Written apart from the engine's on purpose.
SET LOCAL datestyle TO 'ISO, YMD';
SET LOCAL intervalstyle TO 'iso_8601';
SET LOCAL timezone TO 'UTC';
SET LOCAL extra_float_digits TO 1;
SET LOCAL bytea_output TO 'hex';
SET LOCAL xmlbinary TO 'base64';
SET LOCAL lc_monetary TO 'C';
SET LOCAL lc_numeric TO 'C';
SET LOCAL quote_all_identifiers TO off;
SET LOCAL statement_timeout TO 0;
SET LOCAL lock_timeout TO 0;
SET LOCAL search_path TO pg_catalog
