-- Every setting that a sync's sessions depend on. A role or a database may have its own defaults for any of them.

SET ROLE NONE;

-- how values are formatted as text
SET client_encoding = 'UTF8';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'iso_8601';
SET timezone = 'UTC';
SET extra_float_digits = 1;
SET bytea_output = 'hex';
SET xmlbinary = 'base64';
SET lc_monetary = 'C';
SET lc_numeric = 'C';
SET lc_time = 'C';
SET quote_all_identifiers = off;

-- how values and SQL are parsed
SET search_path = pg_catalog;
SET standard_conforming_strings = on;
SET backslash_quote = safe_encoding;
SET transform_null_equals = off;
SET array_nulls = on;
SET xmloption = content;
SET check_function_bodies = on;

-- row visibility and transactions
SET row_security = off;  -- a policy that would hide rows is an error
SET default_transaction_isolation = 'read committed';
SET default_transaction_read_only = off;
SET default_transaction_deferrable = off;

-- no timeouts here, because Lambda and the state machines have them
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;

-- storage and planning
SET default_tablespace = '';
SET temp_tablespaces = '';
SET default_table_access_method = 'heap';
SET jit = off;
SET enable_hashjoin = on;
SET enable_mergejoin = on;
SET enable_nestloop = on;
SET enable_indexscan = on;
SET enable_sort = on;
SET enable_hashagg = on;
SET geqo = on;
SET plan_cache_mode = auto;

SET application_name = 'lockstep'
