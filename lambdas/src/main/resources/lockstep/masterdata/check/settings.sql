-- How values read as text, for both sides alike. Written apart from the engine's on purpose.
SET LOCAL datestyle TO 'ISO, YMD';
SET LOCAL intervalstyle TO 'iso_8601';
SET LOCAL timezone TO 'UTC';
SET LOCAL extra_float_digits TO 1;
SET LOCAL bytea_output TO 'hex';
SET LOCAL xmlbinary TO 'base64';
SET LOCAL lc_monetary TO 'C';
SET LOCAL search_path TO pg_catalog;
SET LOCAL row_security TO off
