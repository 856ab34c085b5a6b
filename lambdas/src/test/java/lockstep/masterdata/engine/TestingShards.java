package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.landscape.TableName;
import lockstep.masterdata.check.SqlCheck;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.imports.TableImport;
import lockstep.masterdata.engine.postgres.Database;
import lockstep.masterdata.engine.postgres.DatabaseRoles;
import lockstep.masterdata.engine.postgres.PostgresDatabase.Login;
import lockstep.masterdata.engine.postgres.RowSecurity;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.masterdata.engine.restore.Forecast;
import lockstep.masterdata.engine.restore.Preflight.Mode;
import lockstep.masterdata.engine.restore.Publisher.TableResult;
import lockstep.masterdata.engine.restore.ShardReport;

/**
 * A source and two targets with the same product, and syncs by the logins that {@link DatabaseRoles} creates. One target follows
 * deltas; the other one reads every table at each restore. Contents are compared with SQL that shares no code with the engine. The
 * databases are reused by all tests of a class.
 */
final class TestingShards {
    static final String READER = "shards_reader";
    static final String WRITER = "shards_writer";
    /** Drops everything of the previous test, except for schema {@code ext}, which the class creates once. */
    private static final String RESET = """
            DO $$
            DECLARE
              found record;
            BEGIN
              FOR found IN
                SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN
                  ('information_schema', 'public', 'ext')
              LOOP
                EXECUTE format('DROP SCHEMA %I CASCADE', found.nspname);
              END LOOP;
            END $$""";
    /** Overrides those settings of a test's database under which the test itself could not work. */
    private static final String CALM = Stream.of("default_transaction_read_only=off", "statement_timeout=0", "lock_timeout=0",
            "transaction_timeout=0", "idle_session_timeout=0", "idle_in_transaction_session_timeout=0",
            "exit_on_error=off", "default_tablespace=", "temp_tablespaces=").map(s -> "-c%20" + s.replace("=", "%3D"))
            .collect(Collectors.joining("%20"));
    final TestingDatabase source = TestingServer.database();
    final TestingDatabase follows = TestingServer.database();
    final TestingDatabase reads = TestingServer.database();
    TestingSync sync;
    /** Whether the logins' sessions are reused. */
    boolean pooled = true;
    private final Map<String, TestingPool> logins = new HashMap<>();
    /** The source's rows at each sync. */
    private final List<List<String>> rounds = new ArrayList<>();

    /** @param once statements that create what all tests of the class use, in schema {@code ext} */
    TestingShards(String... once) {
        each("CREATE SCHEMA ext", "REVOKE ALL ON SCHEMA ext FROM PUBLIC");
        each(once);
    }

    Database reader(TestingDatabase database) {
        return !pooled ? database.as(READER) : logins.computeIfAbsent(READER + database.name(), n -> new TestingPool(database.as(READER)));
    }

    Database writer(TestingDatabase database) {
        return !pooled ? database.as(WRITER) : logins.computeIfAbsent(WRITER + database.name(), n -> new TestingPool(database.as(WRITER)));
    }

    /** Closes every session of the logins, so that later ones start with the current settings of roles and databases. */
    void reconnect() {
        logins.values().forEach(TestingPool::close);
    }

    List<TestingDatabase> targets() {
        return List.of(follows, reads);
    }

    void each(String... statements) {
        for (var database : List.of(source, follows, reads)) visit(database, statements);
    }

    /** Runs statements of the product's visitors at the targets. */
    void visit(String... statements) {
        for (var target : targets()) visit(target, statements);
    }

    /** Runs statements in a session of the product, which has none of Lockstep's settings. */
    static void visit(TestingDatabase database, String... statements) {
        withProduct(database, connection -> {
            for (String sql : statements) Sql.execute(connection, sql);
            return null;
        });
    }

    private static <T> T withProduct(TestingDatabase database, Database.Work<T> work) {
        try (Connection connection = DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + database.port() + "/" + database.name()
                + "?sslmode=disable&gssEncMode=disable&options=" + CALM, "postgres", "secret")) {
            return work.with(connection);
        } catch (SQLException e) {
            throw new AssertionError(e.getMessage(), e);
        }
    }

    /** Starts again with these tables in schema {@code m}; schema {@code own} belongs to the visitors. */
    void product(List<Table> tables, String... statements) {
        each(RESET, "CREATE SCHEMA m", "CREATE SCHEMA own");
        each(statements);
        sync = new TestingSync(new DataSet("exact", "source", tables));
        rounds.clear();
        for (var database : List.of(source, follows, reads)) prepare(database);
    }

    void prepare(TestingDatabase database) {
        new DatabaseRoles(database).prepare(new Login("h", 1, database.name(), READER, "secret"),
                new Login("h", 1, database.name(), WRITER, "secret"), List.of(sync.dataSet));
    }

    /** Returns a table with the columns of its key and others. */
    static Table table(String name, String key, String... others) {
        var keys = List.of(key.split(","));
        return new Table(name, Stream.concat(keys.stream(), Stream.of(others)).toList(), keys, Optional.empty());
    }

    /** The changes by table, which are the same in both targets, as {@code +inserted ~updated -deleted =kept}. */
    record Carried(Map<String, String> changes, List<TableResult> results) {}

    /**
     * Dumps the source, forecasts the restore in both targets, restores, and compares.
     *
     * @param kept rows that the targets must have in addition to the source's, such as {@code m.t (1,x)}
     */
    Carried carry(String... kept) {
        return restore(dump(), Mode.SYNC, rounds.getLast(), kept);
    }

    /** Dumps without restoring. */
    String dump() {
        String id = "s" + rounds.size();
        rounds.add(rows(source));
        sync.dump(reader(source), id);
        return id;
    }

    /** Rolls both targets back to an earlier sync. */
    Carried back(int round, String... kept) {
        return restore("s" + round, Mode.ROLLBACK, rounds.get(round), kept);
    }

    private Carried restore(String id, Mode mode, List<String> expected, String... kept) {
        var followed = restore(follows, id, mode);
        var read = restore(reads, id, mode == Mode.SYNC ? Mode.REPAIR : mode);
        for (var target : targets()) assertHolds(target, expected, kept);
        assertEquals(changes(followed), changes(read), "a target that follows deltas and one that reads everything report the same");
        return new Carried(changes(followed), followed);
    }

    private List<TableResult> restore(TestingDatabase target, String id, Mode mode) {
        var writer = writer(target);
        sync.stage(writer, id, mode);
        var foretold = new Forecast(writer).compute(sync.dataSet.name(), id);
        var results = sync.restore(writer, id, mode);
        assertEquals(changes(foretold), changes(results), "a dry run reports what the restore does");
        return results;
    }

    static Map<String, String> changes(List<TableResult> results) {
        return results.stream().collect(Collectors.toMap(TableResult::name, t -> "+" + t.inserted() + " ~" + t.updated() + " -"
                + t.deleted() + " =" + t.kept(), (a, b) -> a, TreeMap::new));
    }

    void assertHolds(TestingDatabase target, List<String> expected, String... kept) {
        var missing = new ArrayList<>(Stream.concat(expected.stream(), Stream.of(kept)).toList());
        var beyond = new ArrayList<>(rows(target));
        for (String row : List.copyOf(missing)) if (beyond.remove(row)) missing.remove(row);
        assertEquals("missing: [], not expected: []", "missing: " + missing + ", not expected: " + beyond, target.name());
        var here = ShardReport.read(reader(source), sync.dataSet);
        var there = ShardReport.read(reader(target), sync.dataSet);
        assertEquals(kept.length, there.tables().stream().mapToLong(ShardReport.TableContent::kept).sum());
        if (!expected.equals(rows(source))) return;
        assertEquals(here.tables().stream().map(t -> t.name() + " " + t.rows() + " " + t.digest()).toList(), there.tables().stream()
                .map(t -> t.name() + " " + t.rows() + " " + t.digest()).toList());
        assertEquals(sums(source), sums(target));
    }

    private List<SqlCheck.TableSum> sums(TestingDatabase database) {
        return reader(database).run(connection -> {
            RowSecurity.seeEveryRow(connection, sync.dataSet);
            return SqlCheck.of(connection, sync.dataSet);
        }).sums();
    }

    /** Returns every row of the data set as text, such as {@code m.t (1,x)}. */
    List<String> rows(TestingDatabase database) {
        return withProduct(database, connection -> {
            Sql.execute(connection, "SET search_path = pg_catalog; SET extra_float_digits = 1; SET datestyle = 'ISO, YMD'; SET "
                    + "intervalstyle = 'postgres'; SET timezone = 'UTC';"
                    + " SET bytea_output = 'hex'; SET row_security = off; SET xmlbinary = 'base64'; SET lc_monetary = 'C'");
            var rows = new ArrayList<String>();
            for (Table table : sync.dataSet.tables()) {
                var name = TableName.parse(table.name());
                String columns = table.columns().stream().map(c -> "t." + quoted(c)).collect(Collectors.joining(", "));
                try (var statement = connection.createStatement(); var row = statement.executeQuery("SELECT ROW(" + columns
                        + ")::text FROM "
                        + quoted(name.schema()) + "." + quoted(name.table()) + " t WHERE " + table.where().orElse("true"))) {
                    while (row.next()) rows.add(table.name() + " " + row.getString(1));
                }
            }
            return rows.stream().sorted().toList();
        });
    }

    static String quoted(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    /** Returns the single value of a query in a session of the product; it must be the same in both targets. */
    String value(String query) {
        String value = value(follows, query);
        assertEquals(value, value(reads, query), query);
        return value;
    }

    /** Returns the single value of the last of these statements. */
    static String value(TestingDatabase database, String... statements) {
        return withProduct(database, connection -> {
            for (String sql : statements) {
                try (var statement = connection.createStatement()) {
                    if (!statement.execute(sql) || !sql.equals(statements[statements.length - 1])) continue;
                    var row = statement.getResultSet();
                    return row.next() ? row.getString(1) : null;
                }
            }
            throw new IllegalArgumentException("no query: " + List.of(statements));
        });
    }

    /** Imports a file into a table of the source as the writer, and returns the numbers of inserted, updated and deleted rows. */
    String imported(String table, String csv, boolean dryRun) {
        var outcome = new TableImport(writer(source), Duration.ofSeconds(5)).run(sync.dataSet, table,
                () -> new ByteArrayInputStream(csv.getBytes(StandardCharsets.UTF_8)), dryRun, false);
        return outcome.inserted() + " " + outcome.updated() + " " + outcome.deleted();
    }
}
