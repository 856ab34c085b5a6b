package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import lockstep.landscape.DataSet;
import lockstep.landscape.Keep;
import lockstep.landscape.Table;
import lockstep.landscape.Triggers;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.postgres.DatabaseRoles;
import lockstep.masterdata.engine.postgres.PostgresDatabase.Login;
import lockstep.masterdata.engine.postgres.SchemaCheck;
import lockstep.masterdata.engine.restore.Preflight.Mode;
import lockstep.masterdata.engine.restore.Preflight;
import lockstep.masterdata.schema.Finding;
import lockstep.masterdata.schema.SchemaComparison;
import org.junit.jupiter.api.Test;

/** Tests which problems {@code lockstep check} and Preflight find before a sync fails, on real databases. */
class SchemaCheckTest {
    private final TestingDatabase source = TestingServer.database();
    private final TestingDatabase target = TestingServer.database();

    private static Table table(String name, String columns, String key) {
        return new Table(name, List.of(columns.split(", ")), List.of(key.split(", ")), Optional.empty());
    }

    private static DataSet dataSet(Triggers triggers, Table... tables) {
        return new DataSet("master", "source", List.of(tables), Keep.DEFAULT, triggers);
    }

    private static void prepare(TestingDatabase database, DataSet dataSet) {
        new DatabaseRoles(database).prepare(new Login("h", 1, database.name(), "reader", "secret"),
                new Login("h", 1, database.name(), "writer", "secret"), List.of(dataSet));
    }

    /** Checks like the command. */
    private List<Finding> check(DataSet dataSet) {
        var there = SchemaCheck.report(source.as("reader"), dataSet, true, "writer");
        var here = SchemaCheck.report(target.as("reader"), dataSet, false, "writer");
        // the answer is serialized between the function and the command
        var read = Json.MAPPER.readValue(Json.MAPPER.writeValueAsBytes(here), lockstep.masterdata.schema.ShardInspection.Answer.class);
        assertEquals(here, read);
        var findings = new ArrayList<>(SchemaComparison.ofTarget(dataSet, there.description(), read.description()));
        findings.addAll(read.findings());
        findings.addAll(SchemaComparison.sequences(dataSet, read.description(), there.highest()));
        return findings;
    }

    private static String one(List<Finding> findings) {
        assertEquals(1, findings.size(), findings::toString);
        return findings.getFirst().severity() + " " + findings.getFirst().place() + ": " + findings.getFirst().what() + " → "
                + findings.getFirst().remedy();
    }

    private void both(String... statements) {
        source.execute(statements);
        target.execute(statements);
    }

    @Test
    void aSchemaThatIsTheSameHasNoFindings() {
        both("CREATE SCHEMA m", "CREATE SCHEMA ext", "CREATE EXTENSION citext SCHEMA ext", "CREATE TYPE m.color AS ENUM ('red', 'green')",
                "CREATE DOMAIN m.code AS text CHECK (VALUE ~ '^[a-z]+$') NOT NULL",
                "CREATE TYPE m.pair AS (a int, b m.color)",
                "CREATE COLLATION m.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
                "CREATE TABLE m.a (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code m.code UNIQUE, color m.color, colors "
                        + "m.color[], pair m.pair, n numeric(10, 2) CHECK (n > 0), own text, label ext.citext, title text COLLATE m.ci "
                        + "UNIQUE, EXCLUDE USING gist (int4range(1, 2) WITH &&) WHERE (own = 'never'))",
                "CREATE UNIQUE INDEX ON m.a (lower(code)) WHERE n > 1",
                "CREATE TABLE m.b (id serial PRIMARY KEY, a bigint REFERENCES m.a, \"größe\" int, \"select\" int) PARTITION BY RANGE (id)",
                "CREATE TABLE m.b_1 PARTITION OF m.b DEFAULT",
                "CREATE TABLE m.visit (id serial PRIMARY KEY, a bigint REFERENCES m.a)");
        var dataSet = dataSet(Triggers.RUN, table("m.a", "id, code, color, colors, pair, n, label, title", "id"),
                table("m.b", "id, a, größe, select", "id"));
        prepare(source, dataSet);
        prepare(target, dataSet);
        assertEquals(List.of(), check(dataSet));
        assertEquals(List.of(), SchemaCheck.report(source.as("reader"), dataSet, true, "writer").findings());
    }

    /** Each table of the target has one problem. */
    @Test
    void oneOfEachProblemIsReportedOnce() {
        both("CREATE SCHEMA m");
        var tables = new ArrayList<Table>();
        var expected = new TreeMap<String, String>();
        class Case {
            void of(String name, String columns, String expectation, String atSource, String... atTarget) {
                String table = "m." + name;
                source.execute(atSource.replace("$", table));
                for (String sql : atTarget) target.execute((sql.isEmpty() ? atSource : sql).replace("$", table));
                tables.add(table(table, columns, "id"));
                expected.put(table, expectation);
            }
        }
        var of = new Case();
        of.of("missing", "id", "error m.missing: table m.missing does not exist", "CREATE TABLE $ (id int PRIMARY KEY)");
        of.of("a_view", "id", "error m.a_view: m.a_view is a view", "CREATE TABLE $ (id int PRIMARY KEY)",
                "CREATE VIEW $ AS SELECT 1 AS id");
        of.of("heirs", "id", "error m.heirs: other tables inherit", "CREATE TABLE $ (id int PRIMARY KEY)", "",
                "CREATE TABLE m.heir () INHERITS ($)");
        of.of("unlogged", "id", "warning m.unlogged: table m.unlogged is unlogged", "CREATE TABLE $ (id int PRIMARY KEY)",
                "CREATE UNLOGGED TABLE $ (id int PRIMARY KEY)");
        of.of("no_column", "id, name",
                "error m.no_column.name: column m.no_column.name does not exist → ALTER TABLE m.no_column ADD COLUMN name text",
                "CREATE TABLE $ (id int PRIMARY KEY, name text)", "CREATE TABLE $ (id int PRIMARY KEY)");
        of.of("generated", "id, n", "error m.generated.n: column m.generated.n is generated here",
                "CREATE TABLE $ (id int PRIMARY KEY, n int)",
                "CREATE TABLE $ (id int PRIMARY KEY, n int GENERATED ALWAYS AS (id * 2) STORED)");
        of.of("other_type", "id, n",
                "error m.other_type.n: column m.other_type.n is numeric(8,2) here and numeric at the source → ALTER TABLE m.other_type "
                        + "ALTER COLUMN n TYPE numeric",
                "CREATE TABLE $ (id int PRIMARY KEY, n numeric)", "CREATE TABLE $ (id int PRIMARY KEY, n numeric(8, 2))");
        of.of("not_null", "id, n",
                "warning m.not_null.n: column m.not_null.n is NOT NULL here and may be NULL at the source → ALTER TABLE m.not_null ALTER "
                        + "COLUMN n DROP NOT NULL",
                "CREATE TABLE $ (id int PRIMARY KEY, n int)", "CREATE TABLE $ (id int PRIMARY KEY, n int NOT NULL)");
        of.of("must", "id", "error m.must.own: column m.must.own is NOT NULL without a default", "CREATE TABLE $ (id int PRIMARY KEY)",
                "CREATE TABLE $ (id int PRIMARY KEY, own int NOT NULL)");
        of.of("collated", "id, t", "warning m.collated.t: column m.collated.t has collation pg_catalog.\"C\"",
                "CREATE TABLE $ (id int PRIMARY KEY, t text)", "CREATE TABLE $ (id int PRIMARY KEY, t text COLLATE \"C\")");
        of.of("index_collated", "id, t",
                "warning m.index_collated: unique index index_collated_t of m.index_collated compares with collations",
                "CREATE TABLE $ (id int PRIMARY KEY, t text); CREATE UNIQUE INDEX index_collated_t ON $ (t)",
                "CREATE COLLATION m.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false); CREATE TABLE $ (id int "
                        + "PRIMARY KEY, t text); CREATE UNIQUE INDEX index_collated_t ON $ (t COLLATE m.ci)");
        of.of("no_key", "id",
                "error m.no_key: key (id) of m.no_key is not a unique index over columns that are NOT NULL → ALTER TABLE m.no_key ADD "
                        + "UNIQUE (id)",
                "CREATE TABLE $ (id int PRIMARY KEY)",
                "CREATE TABLE $ (id int NOT NULL, own int); CREATE UNIQUE INDEX ON $ (id) WHERE own > 1; CREATE UNIQUE INDEX ON $ (id, "
                        + "own)");
        of.of("null_key", "id",
                "error m.null_key: key (id) of m.null_key is not a unique index over columns that are NOT NULL: id may be NULL → ALTER "
                        + "TABLE m.null_key ALTER COLUMN id SET NOT NULL",
                "CREATE TABLE $ (id int PRIMARY KEY)", "CREATE TABLE $ (id int UNIQUE)");
        of.of("uniques", "id, n, m, o", "warning m.uniques: unique index uniques_n_o_key of m.uniques over (n, o) exists only here",
                "CREATE TABLE $ (id int PRIMARY KEY, n int, m int, o int, UNIQUE (m))",
                "CREATE TABLE $ (id int PRIMARY KEY, n int, m int, o int, own int UNIQUE, UNIQUE (n, o))",
                "CREATE UNIQUE INDEX ON $ (id, n)", "CREATE UNIQUE INDEX ON $ (n, m)");
        of.of("partial", "id, n", "warning m.partial: unique index partial_n_idx of m.partial over (n) WHERE (n > 3) exists only here",
                "CREATE TABLE $ (id int PRIMARY KEY, n int)", "", "CREATE UNIQUE INDEX ON $ (n) WHERE n > 3");
        of.of("excluded", "id, r", "warning m.excluded: exclusion constraint excluded_r_excl of m.excluded exists only here",
                "CREATE TABLE $ (id int PRIMARY KEY, r int4range)",
                "CREATE TABLE $ (id int PRIMARY KEY, r int4range, EXCLUDE USING gist (r WITH &&))");
        of.of("checked", "id, n", "warning m.checked: check constraint checked_n_check of m.checked exists only here",
                "CREATE TABLE $ (id int PRIMARY KEY, n int)",
                "CREATE TABLE $ (id int PRIMARY KEY, n int CHECK (n > 0), own int CHECK (own > 0))");
        of.of("other_check", "id, n",
                "warning m.other_check: check constraint other_check_n_check of m.other_check is CHECK ((n > 10)) here and CHECK ((n > "
                        + "0)) at the source",
                "CREATE TABLE $ (id int PRIMARY KEY, n int CHECK (n > 0))", "CREATE TABLE $ (id int PRIMARY KEY, n int CHECK (n > 10))");
        both("CREATE TABLE m.maker (id int PRIMARY KEY)");
        of.of("made", "id, maker", "warning m.made: foreign key made_maker_fkey of m.made refers to m.maker, which is not in the data set",
                "CREATE TABLE $ (id int PRIMARY KEY, maker int REFERENCES m.maker)", "");
        of.of("refers", "id, other",
                "warning m.refers: foreign key refers_other_fkey of m.refers refers to m.not_null, and exists only here",
                "CREATE TABLE $ (id int PRIMARY KEY, other int)", "CREATE TABLE $ (id int PRIMARY KEY, other int REFERENCES m.not_null)");
        of.of("labels", "id, e", "error m.label: enum m.label lacks the label 'green' → ALTER TYPE m.label ADD VALUE 'green' AFTER 'red'",
                "CREATE TYPE m.label AS ENUM ('red', 'green', 'blue'); CREATE TABLE $ (id int PRIMARY KEY, e m.label[])",
                "CREATE TYPE m.label AS ENUM ('red', 'blue', 'own'); CREATE TABLE $ (id int PRIMARY KEY, e m.label[])");
        of.of("label_order", "id, e", "warning m.size: enum m.size sorts its labels as large, small here and as small, large at the source",
                "CREATE TYPE m.size AS ENUM ('small', 'large'); CREATE TABLE $ (id int PRIMARY KEY, e m.size)",
                "CREATE TYPE m.size AS ENUM ('large', 'small'); CREATE TABLE $ (id int PRIMARY KEY, e m.size)");
        of.of("domain_base", "id, d", "error m.amount: type m.amount is a domain of (integer) here and a domain of (bigint) at the source",
                "CREATE DOMAIN m.amount AS bigint; CREATE TABLE $ (id int PRIMARY KEY, d m.amount)",
                "CREATE DOMAIN m.amount AS int; CREATE TABLE $ (id int PRIMARY KEY, d m.amount)");
        of.of("domain_null", "id, d",
                "warning m.given: domain m.given is NOT NULL here and may be NULL at the source → ALTER DOMAIN m.given DROP NOT NULL",
                "CREATE DOMAIN m.given AS int; CREATE TABLE $ (id int PRIMARY KEY, d m.given)",
                "CREATE DOMAIN m.given AS int NOT NULL; CREATE TABLE $ (id int PRIMARY KEY, d m.given)");
        of.of("domain_check", "id, d",
                "warning m.positive: constraint positive_check of domain m.positive is CHECK ((VALUE > 10)) here and CHECK ((VALUE > 0)) "
                        + "at the source",
                "CREATE DOMAIN m.positive AS int CHECK (VALUE > 0); CREATE TABLE $ (id int PRIMARY KEY, d m.positive)",
                "CREATE DOMAIN m.positive AS int CHECK (VALUE > 10); CREATE TABLE $ (id int PRIMARY KEY, d m.positive)");
        of.of("composite", "id, d",
                "error m.point3: type m.point3 is a composite of (x integer) here and a composite of (x integer, y integer) at the source",
                "CREATE TYPE m.point3 AS (x int, y int); CREATE TABLE $ (id int PRIMARY KEY, d m.point3)",
                "CREATE TYPE m.point3 AS (x int); CREATE TABLE $ (id int PRIMARY KEY, d m.point3)");
        both("CREATE FUNCTION m.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.updated_at := now(); RETURN NEW; END'",
                "CREATE FUNCTION m.upper_code() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.code := upper(NEW.code); RETURN NEW; END'",
                "CREATE FUNCTION m.drop_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
                "CREATE EXTENSION moddatetime SCHEMA m");
        of.of("touched", "id, updated_at",
                "error m.touched.updated_at: trigger touch of m.touched sets updated_at whenever a row is written",
                "CREATE TABLE $ (id int PRIMARY KEY, updated_at timestamptz, own text)", "",
                "CREATE TRIGGER touch BEFORE UPDATE ON $ FOR EACH ROW EXECUTE FUNCTION m.touch()",
                "CREATE TRIGGER of_own BEFORE UPDATE OF own ON $ FOR EACH ROW EXECUTE FUNCTION m.touch()",
                "CREATE TRIGGER off BEFORE UPDATE ON $ FOR EACH ROW EXECUTE FUNCTION m.touch(); ALTER TABLE $ DISABLE TRIGGER off",
                "CREATE TRIGGER after AFTER UPDATE ON $ FOR EACH ROW EXECUTE FUNCTION m.touch()");
        of.of("own_time", "id", "", "CREATE TABLE $ (id int PRIMARY KEY, updated_at timestamptz)", "",
                "CREATE TRIGGER touch BEFORE UPDATE ON $ FOR EACH ROW EXECUTE FUNCTION m.touch()");
        of.of("moddatetime", "id, changed", "error m.moddatetime.changed: trigger mod of m.moddatetime sets changed",
                "CREATE TABLE $ (id int PRIMARY KEY, changed timestamptz)", "",
                "CREATE TRIGGER mod BEFORE UPDATE ON $ FOR EACH ROW EXECUTE FUNCTION m.moddatetime(changed)");
        of.of("upper", "id, code", "warning m.upper.code: trigger upper of m.upper may set code",
                "CREATE TABLE $ (id int PRIMARY KEY, code text)", "",
                "CREATE TRIGGER upper BEFORE INSERT ON $ FOR EACH ROW EXECUTE FUNCTION m.upper_code()");
        of.of("sometimes", "id, updated_at", "warning m.sometimes.updated_at: trigger sometimes of m.sometimes may set updated_at",
                "CREATE TABLE $ (id int PRIMARY KEY, updated_at timestamptz)", "",
                "CREATE TRIGGER sometimes BEFORE UPDATE ON $ FOR EACH ROW WHEN (NEW.id > 7) EXECUTE FUNCTION m.touch()");
        of.of("dropped", "id", "warning m.dropped: trigger gone of m.dropped may drop rows", "CREATE TABLE $ (id int PRIMARY KEY)", "",
                "CREATE TRIGGER gone BEFORE INSERT ON $ FOR EACH ROW EXECUTE FUNCTION m.drop_row()");
        of.of("ruled", "id", "error m.ruled: rule quiet rewrites what is written to m.ruled", "CREATE TABLE $ (id int PRIMARY KEY)", "",
                "CREATE RULE quiet AS ON INSERT TO $ DO INSTEAD NOTHING");
        of.of("seq_ends", "id",
                "warning m.seq_ends.id: sequence m.seq_ends_id_seq of m.seq_ends.id ends at 999, but the source has reached 9999: it can't "
                        + "be advanced, so the product may get numbers that are in use → ALTER SEQUENCE m.seq_ends_id_seq NO MAXVALUE",
                "CREATE TABLE $ (id serial PRIMARY KEY); INSERT INTO $ VALUES (9999)",
                "CREATE TABLE $ (id serial PRIMARY KEY); ALTER SEQUENCE m.seq_ends_id_seq MAXVALUE 999");
        of.of("followed", "id, code",
                "warning m.follower: foreign key follower_code_fkey of m.follower follows changes of m.followed (code)",
                "CREATE TABLE $ (id int PRIMARY KEY, code text UNIQUE)", "",
                "CREATE TABLE m.follower (id int PRIMARY KEY, code text REFERENCES $ (code) ON UPDATE CASCADE)");
        of.of("policed", "id", "error m.policed: row-level security may hide rows of m.policed from the sync's reader and writer",
                "CREATE TABLE $ (id int PRIMARY KEY)", "");
        of.of("revoked", "id, n",
                "error m.revoked: the sync's writer lacks INSERT (n), DELETE on m.revoked → GRANT INSERT (n), DELETE ON m.revoked TO "
                        + "writer",
                "CREATE TABLE $ (id int PRIMARY KEY, n int)", "");
        of.of("unread", "id, n", "error m.unread: the sync's reader lacks SELECT (n) on m.unread → GRANT SELECT (n) ON m.unread TO reader",
                "CREATE TABLE $ (id int PRIMARY KEY, n int)", "");
        of.of("sequence_revoked", "id",
                "warning m.sequence_revoked: the sync's writer lacks SELECT or UPDATE on sequence m.sequence_revoked_id_seq → "
                        + "GRANT SELECT, UPDATE ON SEQUENCE m.sequence_revoked_id_seq TO writer",
                "CREATE TABLE $ (id serial PRIMARY KEY)", "");
        of.of("referred", "id",
                "error m.referring: the sync's writer lacks SELECT (r) on m.referring → GRANT SELECT (r) ON m.referring TO writer",
                "CREATE TABLE $ (id int PRIMARY KEY)", "", "CREATE TABLE m.referring (id int PRIMARY KEY, r int REFERENCES $)");
        both("CREATE SCHEMA ext", "CREATE EXTENSION citext SCHEMA ext");
        of.of("extended", "id", "error schema ext: the sync's ", "CREATE TABLE $ (id ext.citext PRIMARY KEY)", "");
        source.execute("CREATE TABLE m.filtered (id int PRIMARY KEY)");
        target.execute("CREATE TABLE m.filtered (id int PRIMARY KEY)");
        tables.add(new Table("m.filtered", List.of("id"), List.of("id"), Optional.of("own(id)")));
        expected.put("m.filtered", "error m.filtered: `where` of m.filtered can't be evaluated: function own(integer) does not exist");

        var dataSet = dataSet(Triggers.RUN, tables.toArray(Table[]::new));
        prepare(source, dataSet);
        prepareWhatIsThere(dataSet);
        // granted afterwards, because prepare-database grants everything that is needed
        source.execute("GRANT USAGE ON SCHEMA ext TO PUBLIC");
        target.execute("REVOKE INSERT (n), DELETE ON m.revoked FROM writer", "REVOKE SELECT (n) ON m.unread FROM reader",
                "REVOKE UPDATE ON SEQUENCE m.sequence_revoked_id_seq FROM writer", "REVOKE SELECT (r) ON m.referring FROM writer",
                "REVOKE USAGE ON SCHEMA ext FROM reader, writer", "ALTER TABLE m.policed ENABLE ROW LEVEL SECURITY",
                "CREATE POLICY few ON m.policed USING (id > 5)", "GRANT USAGE ON SCHEMA ext TO reader");

        var findings = check(dataSet);
        var left = findings.stream().map(f -> f.severity() + " " + f.place() + ": " + f.what() + " → " + f.remedy())
                .collect(Collectors.toCollection(ArrayList::new));
        expected.forEach((table, expectation) -> {
            if (expectation.isEmpty()) return;
            var found = left.stream().filter(f -> f.startsWith(expectation)).toList();
            assertEquals(1, found.size(), () -> table + ": " + expectation + " in\n" + String.join("\n", left));
            left.removeAll(found);
        });
        assertEquals("", String.join("\n", left));
    }

    /** Prepares the database without the tables and columns that are missing on purpose, which prepare-database would refuse. */
    private void prepareWhatIsThere(DataSet dataSet) {
        prepare(target, dataSet(Triggers.RUN, dataSet.tables().stream().filter(t -> !t.name().equals("m.missing"))
                .map(t -> t.name().equals("m.no_column") ? table(t.name(), "id", "id") : t).filter(t -> !t.name().equals("m.a_view"))
                .toArray(Table[]::new)));
        target.execute("GRANT SELECT ON m.a_view TO reader", "GRANT ALL ON m.a_view TO writer");
    }

    @Test
    void aDatabaseThatIsNotPrepared() {
        both("CREATE SCHEMA m", "CREATE TABLE m.a (id int PRIMARY KEY)");
        var dataSet = dataSet(Triggers.RUN, table("m.a", "id", "id"));
        prepare(source, dataSet);
        assertEquals(
                "error database: the database is not prepared for syncs: schema lockstep and its tables do not exist → invoke "
                        + "prepare-database",
                one(check(dataSet)));
        prepare(target, dataSet);
        var found = SchemaCheck.report(target.as("reader"), dataSet, false, "no_such_writer").findings();
        assertEquals("error database: the database is not prepared for syncs: the sync's writer does not exist → invoke prepare-database",
                one(found));
    }

    @Test
    void settingsThatASessionCannotChange() {
        both("CREATE SCHEMA m", "CREATE TABLE m.a (id int PRIMARY KEY)");
        var dataSet = dataSet(Triggers.RUN, table("m.a", "id", "id"));
        prepare(source, dataSet);
        prepare(target, dataSet);
        String database = target.name();
        target.execute("ALTER DATABASE " + database + " SET statement_timeout = '300s'",
                "ALTER DATABASE " + database + " SET lock_timeout = '3s'",
                "ALTER DATABASE " + database + " SET default_transaction_read_only = on");
        assertEquals(List.of(), check(dataSet));
        target.execute("SET default_transaction_read_only = off", "ALTER DATABASE " + database + " RESET ALL");
        target.execute("ALTER ROLE writer IN DATABASE " + database + " SET session_replication_role = replica");
        var replication = check(dataSet);
        assertEquals(
                "error database: session_replication_role is replica for the sync's writer: foreign keys would not be checked → ALTER "
                        + "ROLE writer IN DATABASE "
                        + database + " SET session_replication_role = origin",
                one(replication));
        target.execute(replication.getFirst().remedy());
        assertEquals(List.of(), check(dataSet));
        // also for the reader: it can't connect, and the message has the statement
        target.execute("ALTER DATABASE " + database + " SET session_replication_role = replica");
        var refused = assertThrows(Fault.AccessRefused.class, () -> check(dataSet));
        assertTrue(refused.getMessage().contains("ALTER ROLE reader IN DATABASE " + database + " SET session_replication_role = origin"),
                refused.getMessage());
        target.execute("ALTER DATABASE " + database + " RESET ALL", "ALTER DATABASE " + database + " SET track_counts = off");
        assertTrue(one(check(dataSet)).startsWith("warning database: track_counts is off"));
    }

    /** After the statements of all findings were executed, there are no more findings. */
    @Test
    void policiesAreFixedByTheStatementsGiven() {
        both("CREATE SCHEMA m", "CREATE TABLE m.a (id int PRIMARY KEY, n int)",
                "CREATE TABLE m.visit (id int PRIMARY KEY, a int REFERENCES m.a)");
        var dataSet = dataSet(Triggers.RUN, table("m.a", "id, n", "id"));
        prepare(source, dataSet);
        prepare(target, dataSet);
        target.execute("ALTER TABLE m.a ENABLE ROW LEVEL SECURITY", "CREATE POLICY \"Enable all\" ON m.a USING (true)");
        assertEquals(List.of(), check(dataSet));
        target.execute("CREATE POLICY narrow ON m.a AS RESTRICTIVE USING (id > 5 OR n > 0)");
        var restricted = check(dataSet);
        assertTrue(
                one(restricted)
                        .contains("ALTER POLICY narrow ON m.a USING ((((id > 5) OR (n > 0))) OR current_user IN ('reader', 'writer'))"),
                restricted.toString());
        target.execute(restricted.getFirst().remedy().split("; "));
        assertEquals(List.of(), check(dataSet));
        target.execute("DROP POLICY narrow ON m.a", "DROP POLICY \"Enable all\" ON m.a",
                "CREATE POLICY \"Enable read access for all users\" ON m.a FOR SELECT USING (true)");
        var writes = check(dataSet);
        assertTrue(one(writes).contains("from the sync's writer")
                && one(writes).contains("CREATE POLICY writer ON m.a TO writer USING (true) WITH CHECK (true)"), writes.toString());
        target.execute(writes.getFirst().remedy().split("; "));
        assertEquals(List.of(), check(dataSet));
        target.execute("ALTER TABLE m.visit ENABLE ROW LEVEL SECURITY");
        var referring = check(dataSet);
        assertTrue(
                one(referring).contains("m.visit")
                        && one(referring).contains("CREATE POLICY writer ON m.visit FOR SELECT TO writer USING (true)"),
                referring.toString());
        target.execute(referring.getFirst().remedy().split("; "));
        assertEquals(List.of(), check(dataSet));
    }

    @Test
    void triggersByPolicy() {
        both("CREATE SCHEMA m", "CREATE TABLE m.a (id int PRIMARY KEY, at timestamptz)",
                "CREATE FUNCTION m.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.at := now(); RETURN NEW; END'");
        target.execute("CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON m.a FOR EACH ROW EXECUTE FUNCTION m.touch()");
        for (var triggers : Triggers.values()) {
            var dataSet = dataSet(triggers, table("m.a", "id, at", "id"));
            prepare(source, dataSet);
            prepare(target, dataSet);
            var found = check(dataSet);
            switch (triggers) {
                case RUN -> assertTrue(one(found).contains("trigger touch of m.a sets at")
                        && one(found).contains("add the line `triggers: disable` to data set 'master' in lockstep.yaml"));
                case REFUSE -> assertTrue(one(found).contains("has triggers: refuse"));
                case DISABLE -> assertEquals(List.of(), found);
            }
        }
    }

    /** A trigger does not stop a sync, because the first sync may succeed. */
    @Test
    void preflightOfTheFirstSyncWarnsOfTriggers() {
        both("CREATE SCHEMA m", "CREATE TABLE m.a (id int PRIMARY KEY, at timestamptz)",
                "CREATE FUNCTION m.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.at := now(); RETURN NEW; END'");
        target.execute("CREATE TRIGGER touch BEFORE UPDATE ON m.a FOR EACH ROW EXECUTE FUNCTION m.touch()");
        source.execute("INSERT INTO m.a VALUES (1, '2020-01-01')");
        var dataSet = dataSet(Triggers.RUN, table("m.a", "id, at", "id"));
        prepare(source, dataSet);
        prepare(target, dataSet);
        var sync = new TestingSync(dataSet);
        sync.run(source.as("reader"), target.as("writer"), "one");
        assertEquals(1, sync.plan.warnings().size());
        assertTrue(sync.plan.warnings().getFirst().contains("trigger touch of m.a sets at")
                && sync.plan.warnings().getFirst().contains("triggers: disable"), sync.plan.warnings()::toString);
        source.execute("UPDATE m.a SET at = '2021-01-01'");
        assertThrows(Fault.VerificationFailed.class, () -> sync.run(source.as("reader"), target.as("writer"), "two"));
        assertEquals(List.of(), sync.plan.warnings());
    }

    @Test
    void preflightRefusesALabelThatTheTargetLacksAndTakesManifestsWithoutADescription() {
        both("CREATE SCHEMA m", "CREATE TYPE m.color AS ENUM ('red')", "CREATE TABLE m.a (id int PRIMARY KEY, c m.color)");
        source.execute("ALTER TYPE m.color ADD VALUE 'green'", "INSERT INTO m.a VALUES (1, 'red')");
        var dataSet = dataSet(Triggers.RUN, table("m.a", "id, c", "id"));
        prepare(source, dataSet);
        prepare(target, dataSet);
        var sync = new TestingSync(dataSet);
        var manifest = sync.dump(source.as("reader"), "one");
        var refused = assertThrows(Fault.SchemaMismatch.class, () -> sync.preflight(target.as("writer"), "one"));
        assertTrue(refused.getMessage().contains("enum m.color lacks the label 'green'"), refused.getMessage());
        String json = Json.MAPPER.writeValueAsString(manifest);
        var earlier = Json.MAPPER.readTree(json).deepCopy();
        ((tools.jackson.databind.node.ObjectNode) earlier).remove("schema");
        var old = Json.MAPPER.treeToValue(earlier, Manifest.class);
        assertEquals(Optional.empty(), old.schema());
        assertEquals(1, new Preflight(target.as("writer")).prepare(old, Mode.SYNC, Triggers.RUN).rows());
        assertEquals(manifest, Json.MAPPER.readValue(json, Manifest.class));
    }

    /** Names and definitions outside the data set do not leave the source. */
    @Test
    void theManifestSaysNothingOfColumnsThatMayNotLeave() {
        both("CREATE SCHEMA m",
                "CREATE TABLE m.a (id int PRIMARY KEY, n int CHECK (n > 0), secret text DEFAULT 'confidential' CHECK (secret <> "
                        + "'hidden'), UNIQUE (n, secret), CONSTRAINT mixed CHECK (n > 1 OR secret = 'hush'))");
        var dataSet = dataSet(Triggers.RUN, table("m.a", "id, n", "id"));
        prepare(source, dataSet);
        prepare(target, dataSet);
        var manifest = new TestingSync(dataSet).dump(source.as("reader"), "one");
        String schema = Json.MAPPER.writeValueAsString(manifest.schema().orElseThrow());
        for (String word : List.of("secret", "confidential", "hidden", "hush", "mixed")) assertFalse(schema.contains(word), schema);
        assertEquals(List.of(), check(dataSet));
    }
}
