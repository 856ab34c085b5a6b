-- Functions that suspend parts of the product's tables until the end of the writer's transaction: keys and indexes of empty tables, and
-- triggers where the landscape says so. The writer owns none of these tables, so the functions run as the administrator who created them,
-- only for tables that prepare-database recorded, and put_back executes only statements that the other functions have recorded.

CREATE TABLE IF NOT EXISTS lockstep.prepared_table (
  table_name text PRIMARY KEY,
  data_set text NOT NULL,
  triggers text NOT NULL  -- RUN, REFUSE or DISABLE
);

-- What is suspended, as statements that restore it. Rows exist only within a running transaction, so no other transaction sees them.
CREATE TABLE IF NOT EXISTS lockstep.laid_aside (
  step integer NOT NULL,  -- triggers 0, keys and indexes 1, foreign keys 2
  n bigint GENERATED ALWAYS AS IDENTITY,
  data_set text NOT NULL,
  put_back text NOT NULL,
  PRIMARY KEY (step, n)
);

-- Drops keys, indexes and foreign keys of those of the tables that are empty, and locks these tables exclusively. Anything that could not be
-- restored exactly as it was, or that other objects depend on, stays in place. Returns the locked tables, or none when one of them is in use.
CREATE OR REPLACE FUNCTION lockstep.lay_keys_aside(of_data_set text, names text[]) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = off AS $$
DECLARE
  candidate record;
  found record;
  tables text[] := '{}';
  quoted text[] := '{}';
  oids oid[] := '{}';
  is_empty boolean;
BEGIN
  FOR candidate IN
    SELECT c.oid, p.table_name, format('%I.%I', n.nspname, c.relname) AS name
    FROM lockstep.prepared_table p
    JOIN pg_class c ON c.oid = to_regclass(p.table_name)
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE p.data_set = of_data_set AND p.table_name = ANY (names) AND c.relkind = 'r' AND c.relpersistence = 'p' AND pg_has_role(c.relowner, 'USAGE')
      AND NOT EXISTS (SELECT FROM pg_inherits i WHERE c.oid IN (i.inhrelid, i.inhparent))
    ORDER BY p.table_name
  LOOP
    EXECUTE format('SELECT NOT EXISTS (SELECT FROM %s)', candidate.name) INTO is_empty;
    IF is_empty THEN
      tables := tables || candidate.table_name;
      quoted := quoted || candidate.name;
      oids := oids || candidate.oid;
    END IF;
  END LOOP;
  IF tables = '{}' THEN RETURN tables; END IF;

  -- NOWAIT, because readers would queue behind a waiting lock request
  FOR try IN 1..20 LOOP
    BEGIN
      EXECUTE 'LOCK TABLE ' || array_to_string(quoted, ', ') || ' IN ACCESS EXCLUSIVE MODE NOWAIT';
      EXIT;
    EXCEPTION WHEN lock_not_available THEN
      IF try = 20 THEN RETURN '{}'; END IF;
      PERFORM pg_sleep(0.05);
    END;
  END LOOP;
  FOR i IN 1..cardinality(quoted) LOOP
    EXECUTE format('SELECT NOT EXISTS (SELECT FROM %s)', quoted[i]) INTO is_empty;
    IF NOT is_empty THEN RAISE object_in_use USING MESSAGE = 'another session has just written to ' || quoted[i]; END IF;
  END LOOP;

  FOR found IN
    SELECT f.oid, f.conname, format('ALTER TABLE %s ', f.conrelid::regclass) AS alter_table, f.conrelid::regclass AS of_table, pg_get_constraintdef(f.oid) AS definition
    FROM pg_constraint f
    WHERE f.contype = 'f' AND f.conrelid = ANY (oids) AND f.confrelid = ANY (oids)
      AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgconstraint = f.oid AND t.tgenabled <> 'O')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_constraint'::regclass AND d.refobjid = f.oid AND d.deptype <> 'i')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_constraint'::regclass AND d.objid = f.oid AND d.deptype IN ('e', 'x'))
      AND NOT EXISTS (SELECT FROM pg_seclabel l WHERE l.classoid = 'pg_constraint'::regclass AND l.objoid = f.oid)
    ORDER BY f.oid
  LOOP
    INSERT INTO lockstep.laid_aside (step, data_set, put_back) VALUES (2, of_data_set, found.alter_table || format('ADD CONSTRAINT %I %s', found.conname, found.definition));
    INSERT INTO lockstep.laid_aside (step, data_set, put_back)
    SELECT 2, of_data_set, format('COMMENT ON CONSTRAINT %I ON %s IS %L', found.conname, found.of_table, description)
    FROM obj_description(found.oid, 'pg_constraint') AS description WHERE description IS NOT NULL;
    EXECUTE found.alter_table || format('DROP CONSTRAINT %I', found.conname);
  END LOOP;

  -- after the foreign keys are dropped, only objects that stay can still depend on an index
  FOR found IN
    SELECT i.indexrelid AS oid, i.indexrelid::regclass AS name, i.indrelid::regclass AS of_table, k.oid AS constraint_oid, k.conname,
      CASE WHEN k.oid IS NULL THEN pg_get_indexdef(i.indexrelid) ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s', i.indrelid::regclass, k.conname, pg_get_constraintdef(k.oid)) END AS put_back
    FROM pg_index i
    JOIN pg_class x ON x.oid = i.indexrelid
    LEFT JOIN pg_constraint k ON k.conindid = x.oid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
    WHERE i.indrelid = ANY (oids) AND i.indisvalid AND i.indisready AND i.indislive AND NOT i.indisexclusion AND NOT i.indisclustered AND NOT i.indisreplident
      AND x.reltablespace = 0 AND (k.oid IS NULL OR x.reloptions IS NULL)
      AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = x.oid AND a.attstattarget <> -1)
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = x.oid)
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_constraint'::regclass AND d.refobjid = k.oid AND d.deptype <> 'i')
      AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgconstraint = k.oid AND t.tgenabled <> 'O')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE (d.classid, d.objid) IN (('pg_class'::regclass, x.oid), ('pg_constraint'::regclass, k.oid)) AND d.deptype IN ('e', 'x'))
      AND NOT EXISTS (SELECT FROM pg_seclabel l WHERE (l.classoid, l.objoid) IN (('pg_class'::regclass, x.oid), ('pg_constraint'::regclass, k.oid)))
    ORDER BY i.indexrelid
  LOOP
    INSERT INTO lockstep.laid_aside (step, data_set, put_back) VALUES (1, of_data_set, found.put_back);
    INSERT INTO lockstep.laid_aside (step, data_set, put_back)
    SELECT 1, of_data_set, format('COMMENT ON INDEX %s IS %L', found.name, description)
    FROM obj_description(found.oid, 'pg_class') AS description WHERE description IS NOT NULL;
    INSERT INTO lockstep.laid_aside (step, data_set, put_back)
    SELECT 1, of_data_set, format('COMMENT ON CONSTRAINT %I ON %s IS %L', found.conname, found.of_table, description)
    FROM obj_description(found.constraint_oid, 'pg_constraint') AS description WHERE description IS NOT NULL;
    IF found.constraint_oid IS NULL THEN EXECUTE format('DROP INDEX %s', found.name);
    ELSE EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.of_table, found.conname);
    END IF;
  END LOOP;
  RETURN tables;
END $$;

-- Disables the product's triggers on these tables and their partitions until put_back is called. Other sessions never see them disabled:
-- writers wait for this transaction, readers do not.
CREATE OR REPLACE FUNCTION lockstep.lay_triggers_aside(of_data_set text, names text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found record;
BEGIN
  IF EXISTS (SELECT FROM unnest(names) AS w(name)
             WHERE NOT EXISTS (SELECT FROM lockstep.prepared_table p WHERE p.table_name = w.name AND p.data_set = of_data_set AND p.triggers = 'DISABLE')) THEN
    RAISE insufficient_privilege USING MESSAGE = 'this database is not prepared for triggers: disable of data set ' || of_data_set;
  END IF;
  FOR found IN
    SELECT r.oid::regclass AS of_table, t.tgname, t.tgenabled
    FROM unnest(names) AS w(name)
    JOIN pg_class c ON c.oid = to_regclass(w.name)
    -- pg_partition_tree returns no rows for a table that is not partitioned
    CROSS JOIN LATERAL (SELECT c.oid UNION SELECT p.relid FROM pg_partition_tree(c.oid) p) r(oid)
    JOIN pg_trigger t ON t.tgrelid = r.oid
    WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
    ORDER BY t.oid
  LOOP
    INSERT INTO lockstep.laid_aside (step, data_set, put_back)
    VALUES (0, of_data_set, format('ALTER TABLE ONLY %s ENABLE %s TRIGGER %I', found.of_table, CASE found.tgenabled WHEN 'A' THEN 'ALWAYS' ELSE '' END, found.tgname));
    EXECUTE format('ALTER TABLE ONLY %s DISABLE TRIGGER %I', found.of_table, found.tgname);
  END LOOP;
END $$;

-- Restores everything of the data set that is suspended.
CREATE OR REPLACE FUNCTION lockstep.put_back(of_data_set text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = off AS $$
DECLARE
  found record;
  memory text := current_setting('maintenance_work_mem');
BEGIN
  IF pg_size_bytes(memory) < 128 << 20 THEN PERFORM set_config('maintenance_work_mem', '128MB', true); END IF;
  FOR found IN SELECT put_back FROM lockstep.laid_aside WHERE data_set = of_data_set ORDER BY step, n LOOP
    EXECUTE found.put_back;
  END LOOP;
  DELETE FROM lockstep.laid_aside WHERE data_set = of_data_set;
  PERFORM set_config('maintenance_work_mem', memory, true);
END $$;

REVOKE ALL ON FUNCTION lockstep.lay_keys_aside, lockstep.lay_triggers_aside, lockstep.put_back FROM PUBLIC;
