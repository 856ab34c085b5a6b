-- Settings that fix the text format of values on both sides and switch off timeouts. On purpose they are independent of the engine's settings.
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
