package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import lockstep.landscape.TableName;
import lockstep.masterdata.check.SqlCheck;
import lockstep.masterdata.engine.GeneratedProduct.Column;
import lockstep.masterdata.engine.GeneratedProduct.Master;
import lockstep.masterdata.engine.GeneratedProduct.Reference;
import lockstep.masterdata.engine.GeneratedProduct.Visitors;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.dump.Planner;
import lockstep.masterdata.engine.postgres.Database;
import lockstep.masterdata.engine.postgres.DatabaseRoles;
import lockstep.masterdata.engine.postgres.PostgresDatabase.Login;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.masterdata.engine.restore.Forecast;
import lockstep.masterdata.engine.restore.Preflight.Mode;
import lockstep.masterdata.engine.restore.Publisher;
import lockstep.masterdata.engine.restore.ShardReport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Tests generated schemas: after each sync a target has the source's rows and, of those that the source deleted, exactly the rows that are
 * still referenced. Visitors' rows are unchanged. Schemas, rows, changes and the order of syncs, repairs, rollbacks and dry runs
 * come from a seed; the expected result is computed from the classes of {@link GeneratedProduct}, without code or operators of the
 * engine.
 *
 * <p>{@code -Dlockstep.seeds=1000} sets the number of seeds, {@code -Dlockstep.firstSeed=N} the first one.
 */
class GeneratedSyncTest {
    private static final int SEEDS = Integer.getInteger("lockstep.seeds", 10);
    private static final long FIRST = Long.getLong("lockstep.firstSeed", 1);
    private static final int AT_ONCE = Integer.getInteger("lockstep.seedsAtOnce", 4);
    private static final int ROUNDS = 4;
    private static final int MOST_FAILURES = Integer.getInteger("lockstep.failures", 3);

    @Test
    void everySeed() throws Exception {
        everySeed(FIRST, SEEDS);
    }

    @Test
    @Tag("nightly")
    void manySeeds() throws Exception {
        everySeed(FIRST + SEEDS, 190);
    }

    private static void everySeed(long first, int seeds) throws Exception {
        var failures = new ConcurrentSkipListMap<Long, String>();
        var next = new AtomicLong(first);
        try (var executor = Executors.newFixedThreadPool(AT_ONCE)) {
            var workers = new ArrayList<Future<?>>();
            for (int i = 0; i < Math.min(AT_ONCE, seeds); i++) {
                var databases = new Databases(i);
                workers.add(executor.submit(() -> {
                    for (long seed; failures.size() < MOST_FAILURES && (seed = next.getAndIncrement()) < first + seeds;) {
                        var run = new Run(databases, seed);
                        try {
                            run.run();
                        } catch (Exception | AssertionError e) {
                            failures.put(seed, run.describe(e));
                        }
                    }
                    databases.close();
                    return null;
                }));
            }
            for (var worker : workers) worker.get();
        }
        assertTrue(failures.isEmpty(), () -> "seeds " + failures.keySet() + " failed\n\n" + String.join("\n\n", failures.values()));
    }

    /** A source and a target that are reused for all seeds, each with its own schemas. */
    private static final class Databases {
        final TestingDatabase source = TestingServer.database();
        final TestingDatabase target = TestingServer.database();
        final String reader;
        final String writer;
        final Connection sourceProduct;
        final Connection targetProduct;
        final List<TestingPool> pools = new ArrayList<>();

        Databases(int number) throws SQLException {
            reader = "seeds_reader_" + number;
            writer = "seeds_writer_" + number;
            for (var database : List.of(source, target)) {
                database.execute(GeneratedProduct.TYPES_DDL);
                database.execute(Sql.named("state"));
                new DatabaseRoles(database).prepare(new Login("h", 1, database.name(), reader, "secret"),
                        new Login("h", 1, database.name(), writer, "secret"), List.of());
            }
            sourceProduct = product(source);
            targetProduct = product(target);
            for (var database : List.of(source, target, source.as(reader), target.as(reader),
                    target.as(writer)))
                pools.add(new TestingPool(database));
        }

        /** Opens a session of the product, with its own settings. */
        private static Connection product(TestingDatabase database) throws SQLException {
            var connection = DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + database.port() + "/" + database.name()
                    + "?sslmode=disable&gssEncMode=disable", "postgres", "secret");
            Sql.execute(connection, "SET timezone = 'UTC'; SET extra_float_digits = 1");
            return connection;
        }

        void close() throws SQLException {
            sourceProduct.close();
            targetProduct.close();
            pools.forEach(TestingPool::close);
        }
    }

    /**
     * A row of a master table.
     *
     * @param of     the class of its key
     * @param unique the class of its unique column, or null
     * @param refers for each reference, the class of the row that it refers to, or null
     * @param local  whether it is the shard's own row, outside the filter
     */
    private record Row(int of, Integer unique, List<Integer> refers, boolean local, String text, String keyText, String uniqueText,
            String number) {}

    /** A visitor's row, and the class of the row that it refers to. */
    private record Visit(int id, Integer refers, String text) {}

    private static final class Run {
        private final Databases databases;
        private final long seed;
        private final Random random;
        private final GeneratedProduct product;
        private final TestingSync sync;
        private final boolean prepared;
        private final List<String> history = new ArrayList<>();
        /** The source's rows at each sync. */
        private final Map<String, Map<Master, Map<Integer, Row>>> dumped = new LinkedHashMap<>();
        private String inForce;
        private int nextVisit;

        Run(Databases databases, long seed) {
            this.databases = databases;
            this.seed = seed;
            random = new Random(seed);
            product = new GeneratedProduct(seed, random);
            sync = random.nextInt(3) == 0 ? new TestingSync(product.dataSet, new Planner(32 << 20, 512 << 20), 1 << 20)
                    : new TestingSync(product.dataSet, new Planner(4 << 10, 16 << 10), 500 + random.nextInt(1000));
            prepared = random.nextInt(5) == 0;
            sync.store.inlineBelow = seed % 2 == 0 ? 1024 : 0;
        }

        String describe(Throwable e) {
            var where = new StringBuilder();
            for (var frame : e.getStackTrace()) if (frame.getClassName().startsWith("lockstep")) where.append("\n    at ").append(frame);
            return "seed " + seed + ": " + e + where + "\n" + product.ddl() + "\n" + String.join("\n", history);
        }

        private Database reader(TestingDatabase database) {
            return databases.pools.get(database == databases.source ? prepared ? 2 : 0 : prepared ? 3 : 1);
        }

        private Database writer() {
            return databases.pools.get(prepared ? 4 : 1);
        }

        void run() throws SQLException {
            for (var connection : List.of(databases.sourceProduct, databases.targetProduct)) {
                for (String ddl : product.mastersDdl) Sql.execute(connection, ddl);
                for (String ddl : product.visitorsDdl) Sql.execute(connection, ddl);
            }
            if (prepared)
                for (var database : List.of(databases.source, databases.target))
                    new DatabaseRoles(database).prepare(new Login("h", 1, database.name(), databases.reader, "secret"),
                            new Login("h", 1, database.name(), databases.writer, "secret"), List.of(product.dataSet));
            for (int round = 0; round < ROUNDS; round++) {
                change(round);
                if (round > 0) visit();
                if (round > 0 && random.nextInt(8) == 0) drift();
                var earlier = dumped.keySet().stream().filter(id -> !id.equals(inForce)).toList();
                if (!earlier.isEmpty() && round > 1 && random.nextInt(5) == 0) restore(earlier.get(random.nextInt(earlier.size())),
                        Mode.ROLLBACK);
                else restore(dump(round), round > 0 && random.nextInt(6) == 0 ? Mode.REPAIR : Mode.SYNC);
            }
            var rows = read(databases.sourceProduct);
            if (rows.equals(withoutOwn(read(databases.targetProduct)))) {
                assertEquals(contents(databases.source), contents(databases.target), "ShardReport");
                assertEquals(sums(databases.source), sums(databases.target), "SqlCheck");
            }
            for (var connection : List.of(databases.sourceProduct, databases.targetProduct))
                Sql.execute(connection, "SET client_min_messages = warning; DROP SCHEMA " + String.join(", ", product.schemas)
                        + " CASCADE; RESET client_min_messages");
        }

        private List<String> contents(TestingDatabase database) {
            return ShardReport.read(reader(database), product.dataSet).tables().stream()
                    .map(t -> t.name() + " " + t.rows() + " " + t.digest()).toList();
        }

        private List<SqlCheck.TableSum> sums(TestingDatabase database) {
            return reader(database).run(connection -> SqlCheck.of(connection, product.dataSet)).sums();
        }

        private static Map<Master, Map<Integer, Row>> withoutOwn(Map<Master, Map<Integer, Row>> rows) {
            var without = new LinkedHashMap<Master, Map<Integer, Row>>();
            rows.forEach((master, of) -> without.put(master, of.values().stream().filter(r -> !r.local())
                    .collect(Collectors.toMap(Row::of, r -> r, (a, b) -> a, TreeMap::new))));
            return without;
        }

        private Map<Master, Map<Integer, Row>> read(Connection connection) throws SQLException {
            var all = new LinkedHashMap<Master, Map<Integer, Row>>();
            for (var master : product.masters) {
                var rows = new TreeMap<Integer, Row>();
                String refers = master.references.stream().map(r -> TestingShards.quoted(r.of())).collect(Collectors.joining(", "));
                String query = "SELECT kc, " + (master.unique == null ? "NULL" : "uc") + ", ARRAY[" + refers + "]::int[], "
                        + (master.filtered ? "kind = 'local'" : "false") + ", ROW("
                        + master.columns().stream().map(TestingShards::quoted).collect(Collectors.joining(", ")) + ")::text, ROW("
                        + master.key.stream().map(Column::quoted).collect(Collectors.joining(", ")) + ")::text, "
                        + (master.unique == null ? "NULL" : "ROW(" + master.unique.quoted() + ")::text") + ", "
                        + (master.identity ? "idn::text" : "NULL") + " FROM " + master.sql;
                try (var statement = connection.createStatement(); var row = statement.executeQuery(query)) {
                    while (row.next()) {
                        var refersTo = new ArrayList<Integer>();
                        for (Object of : (Object[]) row.getArray(3).getArray()) refersTo.add((Integer) of);
                        assertEquals(null, rows.put(row.getInt(1),
                                new Row(row.getInt(1), (Integer) row.getObject(2), refersTo, row.getBoolean(4), row.getString(5),
                                        row.getString(6), row.getString(7), row.getString(8))),
                                "two rows of one key in " + master);
                    }
                }
                all.put(master, rows);
            }
            return all;
        }

        private Map<Visitors, List<Visit>> visits(boolean shadow) throws SQLException {
            var all = new LinkedHashMap<Visitors, List<Visit>>();
            for (var table : product.visitors) {
                var rows = new ArrayList<Visit>();
                try (var statement = databases.targetProduct.createStatement(); var row = statement.executeQuery("SELECT id, rc, v::text "
                        + "FROM " + (shadow ? table.shadow() : table.sql()) + " v ORDER BY id")) {
                    while (row.next()) rows.add(new Visit(row.getInt(1), (Integer) row.getObject(2), row.getString(3)));
                }
                all.put(table, rows);
            }
            return all;
        }

        private boolean tried(Connection connection, String sql) throws SQLException {
            try {
                Sql.execute(connection, sql);
                history.add((connection == databases.sourceProduct ? "source: " : "target: ") + sql + ";");
                return true;
            } catch (SQLException e) {
                // the change would violate a foreign key or a unique constraint
                if (e.getSQLState().startsWith("23")) return false;
                throw new SQLException(e.getMessage() + ": " + sql, e.getSQLState(), e);
            }
        }

        private int some() {
            return random.nextInt(GeneratedProduct.CLASSES);
        }

        private int keyOf(Master master) {
            return master.key.size() == 1 ? some() : some() * 100 + random.nextInt(3);
        }

        /** Changes master data at the source. */
        private void change(int round) throws SQLException {
            for (var master : product.masters) {
                int inserts = round == 0 ? 4 + random.nextInt(14) : random.nextInt(4);
                for (int i = 0; i < inserts; i++) insert(databases.sourceProduct, master, keyOf(master), master.unique == null ? 0
                        : some(), false);
            }
            if (round == 0) return;
            for (int i = 0; i < 4 + random.nextInt(8); i++) change(product.masters.get(random.nextInt(product.masters.size())));
        }

        private boolean insert(Connection connection, Master master, int of, int unique, boolean local) throws SQLException {
            var values = new ArrayList<String>(List.of(Integer.toString(of)));
            values.addAll(master.keyLiterals(of, random));
            if (master.unique != null) {
                boolean none = master.uniqueNullable && random.nextInt(4) == 0;
                values.add(none ? "NULL" : Integer.toString(unique));
                values.add(none ? "NULL" : master.unique.type().literal("", unique, random));
            }
            for (var reference : master.references) {
                var to = random.nextInt(3) == 0 ? null : classToReferTo(connection, reference);
                values.add(to == null ? "NULL" : Integer.toString(to));
                values.addAll(reference.literals(to, random));
            }
            for (String type : master.valueTypes) values.add(product.value(type));
            if (master.filtered) values.add(local ? "'local'" : "'public'");
            if (master.identity) values.add("DEFAULT");
            return tried(connection, "INSERT INTO " + master + " (" + master.columns().stream().map(TestingShards::quoted)
                    .collect(Collectors.joining(", ")) + ") VALUES (" + String.join(", ", values) + ")");
        }

        /** Returns the class of an existing row, or null. */
        private Integer classToReferTo(Connection connection, Reference reference) throws SQLException {
            var classes = new ArrayList<Integer>();
            try (var statement = connection.createStatement(); var row = statement.executeQuery("SELECT "
                    + (reference.byUnique() ? "uc" : "kc") + " FROM " + reference.parent() + " WHERE "
                    + (reference.byUnique() ? "uc IS NOT NULL" : "true") + " ORDER BY 1")) {
                while (row.next()) classes.add(row.getInt(1));
            }
            return classes.isEmpty() ? null : classes.get(random.nextInt(classes.size()));
        }

        private void change(Master master) throws SQLException {
            var source = databases.sourceProduct;
            int of = anyOf(source, master);
            if (of < 0) return;
            String where = " WHERE kc = " + of;
            switch (random.nextInt(12)) {
                case 0, 1, 2 -> {
                    if (tried(source, "DELETE FROM " + master + where)) settleReferences();
                }
                case 3 -> {
                    // deleted, and inserted again with another spelling
                    int unique = some();
                    if (tried(source, "DELETE FROM " + master + where)) {
                        settleReferences();
                        insert(source, master, of, unique, false);
                    }
                }
                case 4, 5 -> respell(source, master, of);
                case 6 -> {
                    if (master.unique != null) setUnique(master, of, some());
                }
                case 7 -> {
                    if (master.unique != null && random.nextInt(4) == 0) exchange(master, of, anyOf(source, master));
                }
                case 8 -> {
                    int other = keyOf(master);
                    var literals = master.keyLiterals(other, random);
                    if (tried(source, "UPDATE " + master + " SET kc = " + other + ", "
                            + assignments(master.key.stream().map(Column::name).toList(), literals) + where))
                        carryOn(master, false, of,
                                other);
                }
                case 9 -> {
                    for (var reference : master.references) {
                        var to = random.nextInt(3) == 0 ? null : classToReferTo(source, reference);
                        tried(source, "UPDATE " + master + " SET " + reference.of() + " = " + to + ", " + assignments(reference.columns(),
                                reference.literals(to, random)) + where);
                    }
                }
                default -> {
                    for (int i = 0; i < master.values.size(); i++) tried(source, "UPDATE " + master + " SET " + master.values.get(i)
                            .quoted() + " = " + product.value(master.valueTypes.get(i)) + where);
                }
            }
        }

        private static String assignments(List<String> columns, List<String> literals) {
            return IntStream.range(0, columns.size()).mapToObj(i -> TestingShards.quoted(columns.get(i)) + " = " + literals.get(i))
                    .collect(Collectors.joining(", "));
        }

        private int anyOf(Connection connection, Master master) throws SQLException {
            var classes = new ArrayList<Integer>();
            try (var statement = connection.createStatement(); var row = statement.executeQuery("SELECT kc FROM " + master
                    + (master.filtered ? " WHERE kind <> 'local'" : "") + " ORDER BY 1")) {
                while (row.next()) classes.add(row.getInt(1));
            }
            return classes.isEmpty() ? -1 : classes.get(random.nextInt(classes.size()));
        }

        private boolean respell(Connection connection, Master master, int of) throws SQLException {
            if (of < 0) return false;
            if (master.unique != null && random.nextInt(3) == 0)
                return tried(connection, "UPDATE " + master + " SET " + master.unique.quoted() + " = " + "CASE uc " + IntStream.range(0, 50)
                        .mapToObj(c -> "WHEN " + c + " THEN " + master.unique.type().literal("", c, random) + "::" + bare(master.unique))
                        .collect(Collectors.joining(" "))
                        + " END WHERE kc = " + of);
            return tried(connection, "UPDATE " + master + " SET " + assignments(master.key.stream().map(Column::name).toList(),
                    master.keyLiterals(of, random)) + " WHERE kc = " + of);
        }

        private static String bare(Column column) {
            return column.type().name().replaceAll(" COLLATE .*", "");
        }

        private void setUnique(Master master, int of, int to) throws SQLException {
            var before = read(databases.sourceProduct).get(master).get(of);
            if (before == null) return;
            if (tried(databases.sourceProduct, "UPDATE " + master + " SET uc = " + to + ", " + master.unique.quoted() + " = "
                    + master.unique.type().literal("", to, random) + " WHERE kc = " + of) && before.unique() != null)
                carryOn(master, true, before.unique(), to);
        }

        private void exchange(Master master, int one, int other) throws SQLException {
            var rows = read(databases.sourceProduct).get(master);
            if (one == other || one < 0 || other < 0 || rows.get(one).unique() == null || rows.get(other).unique() == null) return;
            int first = rows.get(one).unique();
            int second = rows.get(other).unique();
            setUnique(master, one, 48);
            setUnique(master, other, first);
            setUnique(master, one, second);
        }

        /** Updates classes after foreign keys with ON UPDATE CASCADE have changed values. */
        private void carryOn(Master master, boolean unique, int from, int to) throws SQLException {
            if (from == to) return;
            for (var child : product.masters)
                for (var reference : child.references)
                    if (reference.parent() == master && reference.byUnique() == unique && reference.onUpdate()
                            .equals("CASCADE"))
                        tried(databases.sourceProduct, "UPDATE " + child + " SET " + reference.of() + " = " + to
                                + " WHERE " + reference.of() + " = " + from);
        }

        /** Removes classes after foreign keys with ON DELETE SET NULL have removed values. */
        private void settleReferences() throws SQLException {
            for (var child : product.masters)
                for (var reference : child.references) tried(databases.sourceProduct, "UPDATE " + child + " SET " + reference.of()
                        + " = NULL WHERE " + reference.of() + " IS NOT NULL AND " + TestingShards.quoted(reference.columns().getFirst())
                        + " IS NULL");
        }

        /** Changes visitors' rows at the target, and the same rows in the shadow tables. */
        private void visit() throws SQLException {
            var target = databases.targetProduct;
            for (var table : product.visitors) {
                for (int i = 0; i < random.nextInt(6); i++) {
                    var to = !table.notNull() && random.nextInt(6) == 0 ? null : classToReferTo(target, table.reference());
                    if (to == null && table.notNull()) continue;
                    String literals = String.join(", ", table.reference().literals(to, random));
                    int id = nextVisit++;
                    if (tried(target, "INSERT INTO " + table.sql() + " VALUES (" + id + ", " + to + ", " + literals + ", 'note " + id
                            + "')"))
                        assertTrue(tried(target, "INSERT INTO " + table.shadow() + " SELECT * FROM " + table.sql()
                                + " WHERE id = " + id));
                }
                for (String change : List.of("DELETE FROM {t} WHERE id % 5 = " + random.nextInt(12),
                        "UPDATE {t} SET note = note || '!' WHERE id % 5 = " + random.nextInt(12)))
                    for (String name : List.of(table.sql(), table.shadow())) tried(target, change.replace("{t}", name));
            }
            for (var master : product.masters)
                if (master.filtered && random.nextBoolean()) insert(target, master, master.key.size() == 1 ? 30 + random.nextInt(10)
                        : (30 + random.nextInt(10)) * 100, 30 + random.nextInt(10), true);
        }

        /** Edits master data at the target. */
        private void drift() throws SQLException {
            var master = product.masters.get(random.nextInt(product.masters.size()));
            int of = anyOf(databases.targetProduct, master);
            if (random.nextBoolean()) respell(databases.targetProduct, master, of);
            else for (int i = 0; i < master.values.size(); i++) tried(databases.targetProduct, "UPDATE " + master + " SET "
                    + master.values.get(i).quoted() + " = " + product.value(master.valueTypes.get(i)) + " WHERE kc = " + of);
            // a foreign key of the product may have cascaded to visitors' rows, so the shadow tables are updated
            for (var table : product.visitors) {
                String first = table.reference().columns().getFirst();
                for (String sql : List.of("UPDATE " + table.sql() + " SET rc = NULL WHERE " + first + " IS NULL", "TRUNCATE "
                        + table.shadow(),
                        "INSERT INTO " + table.shadow() + " SELECT * FROM "
                                + table.sql()))
                    Sql.execute(databases.targetProduct, sql);
            }
            Sql.execute(databases.targetProduct, "SELECT pg_stat_force_next_flush()");
        }

        private String dump(int round) throws SQLException {
            String id = "round-" + round;
            sync.dump(reader(databases.source), id);
            dumped.put(id, read(databases.sourceProduct));
            history.add("-- dumped " + id);
            return id;
        }

        private void restore(String id, Mode mode) throws SQLException {
            var before = read(databases.targetProduct);
            var visits = visits(false);
            var want = dumped.get(id);
            var kept = kept(before, want, visits);
            var reasons = reasonsToRefuse(before, want, kept, visits);
            history.add("-- " + mode + " to " + id + ", may be refused: " + reasons);
            var writer = writer();
            List<Publisher.TableResult> results;
            Map<String, String> foretold = null;
            try {
                if (random.nextBoolean()) {
                    sync.stage(writer, id, mode);
                    foretold = TestingShards.changes(new Forecast(writer).compute(product.dataSet.name(), id));
                }
                results = publish(writer, id, mode);
            } catch (Fault.MergeConflict | Fault.VisitorRowsChanged e) {
                history.add("-- refused: " + e.getMessage());
                if (reasons.isEmpty()) throw e;
                assertEquals(texts(before), texts(read(databases.targetProduct)), "a refused sync changes nothing");
                assertEquals(visits, visits(false), "a refused sync changes nothing");
                return;
            }
            inForce = id;
            var after = read(databases.targetProduct);
            var expected = new LinkedHashMap<Master, Map<Integer, Row>>();
            for (var master : product.masters) {
                var rows = new TreeMap<>(want.get(master));
                // a foreign key of the product may cascade a new value to such a row
                boolean carried = master.references.stream().anyMatch(r -> r.onUpdate().equals("CASCADE"));
                before.get(master).values().stream().filter(r -> r.local() || kept.get(master).contains(r.of()))
                        .forEach(r -> rows.put(r.of(), carried ? after.get(master).getOrDefault(r.of(), r) : r));
                expected.put(master, rows);
            }
            assertEquals(texts(expected), texts(after), "master rows");
            follow(before, after, visits);
            assertEquals(visits(true), visits(false), "visitors' rows");
            var counted = TestingShards.changes(results);
            for (var master : product.masters) {
                // rows that a cascade writes, possibly repeatedly, are counted differently in a dry run
                if (master.references.stream().anyMatch(r -> r.onUpdate().equals("CASCADE"))) continue;
                String name = TableName.parse(master.sql).toString();
                assertEquals(changes(before.get(master), want.get(master), kept.get(master)), counted.get(name), "reported changes of "
                        + name);
                if (foretold != null) assertEquals(counted.get(name), foretold.get(name), "dry run of " + name);
            }
        }

        private List<Publisher.TableResult> publish(Database writer, String id, Mode mode) {
            for (int attempt = 1;; attempt++) {
                sync.stage(writer, id, mode);
                try {
                    return TestingSync.publisher(writer).publish(product.dataSet.name(), id);
                } catch (Fault.Drifted e) {
                    if (attempt == 4) throw e;
                }
            }
        }

        private static String changes(Map<Integer, Row> before, Map<Integer, Row> want, Set<Integer> kept) {
            long inserted = want.keySet().stream().filter(of -> !before.containsKey(of)).count();
            long updated = want.values().stream().filter(r -> before.containsKey(r.of()) && !before.get(r.of()).text().equals(r.text()))
                    .count();
            long deleted = before.values().stream().filter(r -> !r.local() && !want.containsKey(r.of()) && !kept.contains(r.of())).count();
            return "+" + inserted + " ~" + updated + " -" + deleted + " =" + kept.size();
        }

        private static String texts(Map<Master, Map<Integer, Row>> rows) {
            return rows.entrySet().stream().map(e -> e.getKey() + "\n  " + e.getValue().values().stream().map(Row::text).sorted()
                    .collect(Collectors.joining("\n  "))).collect(Collectors.joining("\n"));
        }

        /** Returns, for each table, the rows that the source does not have and that a row that stays refers to. */
        private Map<Master, Set<Integer>> kept(Map<Master, Map<Integer, Row>> before, Map<Master, Map<Integer, Row>> want, Map<Visitors,
                List<Visit>> visits) {
            var kept = new HashMap<Master, Set<Integer>>();
            product.masters.forEach(m -> kept.put(m, new HashSet<>()));
            for (boolean grows = true; grows;) {
                grows = false;
                for (var master : product.masters) {
                    for (var row : before.get(master).values()) {
                        if (row.local() || want.get(master).containsKey(row.of()) || kept.get(master).contains(row.of())) continue;
                        boolean referred = visits.entrySet().stream().anyMatch(v -> v.getKey().reference().parent() == master
                                && v.getValue().stream().anyMatch(visit -> refers(v.getKey().reference(), visit.refers(), row)));
                        for (var child : product.masters)
                            for (int i = 0; i < child.references.size(); i++)
                                for (var from : before.get(child).values())
                                    if (child.references.get(i).parent() == master
                                            && (from.local() || kept.get(child)
                                                    .contains(from.of())))
                                        referred |= refers(child.references.get(i), from.refers().get(i), row);
                        if (referred) grows |= kept.get(master).add(row.of());
                    }
                }
            }
            return kept;
        }

        private static boolean refers(Reference reference, Integer of, Row row) {
            return of != null && of.equals(reference.byUnique() ? row.unique() : Integer.valueOf(row.of()));
        }

        /** Returns the reasons for which a target may refuse this sync; see docs/limits.md, Rows. */
        private Set<String> reasonsToRefuse(Map<Master, Map<Integer, Row>> before, Map<Master, Map<Integer, Row>> want, Map<Master,
                Set<Integer>> kept, Map<Visitors, List<Visit>> visits) {
            var reasons = new LinkedHashSet<String>();
            for (var master : product.masters) {
                for (var row : want.get(master).values()) {
                    var was = before.get(master).get(row.of());
                    if (was != null && !Objects.equals(was.number(), row.number())) reasons.add(master + " renumbers a row");
                    for (var holder : before.get(master).values()) {
                        if (row.unique() == null || !row.unique().equals(holder.unique()) || holder.of() == row.of()) continue;
                        if (want.get(master).containsKey(holder.of())) reasons.add(master + " exchanges unique values");
                        else if (kept.get(master).contains(holder.of())) reasons.add(master + " gives the unique value of a kept row away");
                        else if (isReferredTo(before, master, holder)) reasons.add(master
                                + " gives away the unique value of a row to which rows of the data set refer until the merge");
                    }
                    if (was == null) continue;
                    visits.forEach((table, rows) -> {
                        if (table.reference().parent() == master && rows.stream().anyMatch(v -> refers(table.reference(), v.refers(), was))
                                && refuses(table.reference(), was, row))
                            reasons.add(table.sql() + " refers to a value that changes");
                    });
                    for (var child : product.masters)
                        for (int i = 0; i < child.references.size(); i++) {
                            var reference = child.references.get(i);
                            for (var from : before.get(child).values())
                                if (reference.parent() == master && refers(reference, from.refers().get(i), was)
                                        && refuses(reference, was, row))
                                    reasons.add(child + " refers to a value that changes");
                        }
                }
            }
            return reasons;
        }

        private boolean isReferredTo(Map<Master, Map<Integer, Row>> rows, Master master, Row row) {
            return product.masters.stream().anyMatch(child -> IntStream.range(0, child.references.size())
                    .anyMatch(i -> child.references.get(i).parent() == master
                            && rows.get(child).values().stream()
                                    .anyMatch(from -> refers(child.references.get(i), from.refers().get(i), row))));
        }

        /** Reports whether a foreign key forbids the change of the row, or would remove the value that refers to it. */
        private static boolean refuses(Reference reference, Row was, Row is) {
            boolean spelled = reference.byUnique() ? !Objects.equals(was.uniqueText(), is.uniqueText()) : !was.keyText()
                    .equals(is.keyText());
            boolean another = reference.byUnique() && !Objects.equals(was.unique(), is.unique());
            return switch (reference.onUpdate()) {
                case "CASCADE" -> false;
                case "NO ACTION" -> another;
                default -> spelled;
            };
        }

        /** Updates visitors' rows whose foreign key cascades changes: they refer to the same master row as before, by its new value. */
        private void follow(Map<Master, Map<Integer, Row>> before, Map<Master, Map<Integer, Row>> after, Map<Visitors,
                List<Visit>> visits) throws SQLException {
            var now = visits(false);
            for (var entry : visits.entrySet()) {
                var table = entry.getKey();
                var reference = table.reference();
                if (!reference.onUpdate().equals("CASCADE")) continue;
                for (var visit : entry.getValue()) {
                    var was = before.get(reference.parent()).values().stream().filter(r -> refers(reference, visit.refers(), r))
                            .findFirst();
                    if (was.isEmpty()) continue;
                    var is = after.get(reference.parent()).get(was.get().of());
                    if (reference.byUnique() ? Objects.equals(was.get().uniqueText(), is.uniqueText()) : was.get().keyText()
                            .equals(is.keyText()))
                        continue;
                    // a row that was deleted and inserted again, to get another number, does not cascade
                    if (!Objects.equals(was.get().number(), is.number()) && now.get(table).contains(visit)) continue;
                    var columns = reference.columns();
                    var parents = reference.parentColumns();
                    Sql.execute(databases.targetProduct, "UPDATE " + table.shadow() + " SET " + IntStream.range(0, columns.size())
                            .mapToObj(i -> columns.get(i) + " = (SELECT " + parents.get(i).quoted() + " FROM " + reference.parent()
                                    + " WHERE kc = " + is.of() + ")")
                            .collect(Collectors.joining(", ")) + " WHERE id = " + visit.id());
                    if (reference.byUnique())
                        for (String name : List.of(table.sql(), table.shadow())) Sql.execute(databases.targetProduct, "UPDATE " + name
                                + " SET rc = " + is.unique() + " WHERE id = " + visit.id());
                }
            }
        }
    }
}
