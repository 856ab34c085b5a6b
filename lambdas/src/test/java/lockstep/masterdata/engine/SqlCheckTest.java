package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.check.SqlCheck.Sums;
import lockstep.masterdata.check.SqlCheck;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the check by SQL. It is in this package only for the test databases; the check itself is independent of the engine. */
class SqlCheckTest {
    private final TestingSync sync = new TestingSync(TestingProduct.DATA_SET);
    private final TestingDatabase source = TestingProduct.source();
    private final TestingDatabase target = TestingProduct.database();

    private Sums sums(TestingDatabase database) {
        return sums(database, sync.dataSet);
    }

    private static Sums sums(TestingDatabase database, DataSet dataSet) {
        return database.run(connection -> SqlCheck.of(connection, dataSet));
    }

    @Test
    void agreesWithTheEngineThatASyncIsEqual() {
        sync.run(source, target, "one");
        assertEquals(sums(source).sums(), sums(target).sums());
        assertEquals(List.of("m.interaction 800", "m.drug 500", "m.postal 300"),
                sums(target).sums().stream().map(s -> s.name() + " " + s.rows()).toList());
        assertEquals(Optional.of("one"), sums(target).syncId());
        assertEquals(Optional.empty(), sums(source).syncId());
    }

    @ParameterizedTest
    @ValueSource(strings = {
            "UPDATE m.drug SET name = '' WHERE id = (SELECT min(id) FROM m.drug WHERE name IS NULL)",
            "UPDATE m.drug SET price = price::numeric(10, 4) WHERE id = 4",
            "UPDATE m.drug SET name = name || ' ' WHERE id = 3",
            "UPDATE m.drug a SET name = b.name FROM m.drug b WHERE (a.id, b.id) IN ((1, 2), (2, 1))",
            "UPDATE m.drug SET tags = '{}' WHERE id = 9",
            "UPDATE m.drug SET facts = '{\"n\": 10, \"m\": null}' WHERE id = 10",
            "UPDATE m.interaction SET b = NULL WHERE id = 1",
            "DELETE FROM m.interaction WHERE id = 5",
            "INSERT INTO m.interaction (a, note) VALUES (1, 'one more')",
            "WITH gone AS (DELETE FROM m.interaction WHERE id = 6 RETURNING a, b, note) INSERT INTO m.interaction SELECT 900, a, b, note "
                    + "FROM gone",
            "TRUNCATE m.postal"})
    void findsWhatIsOtherwise(String corruption) {
        sync.run(source, target, "one");
        target.execute(corruption);
        assertNotEquals(sums(source).sums(), sums(target).sums());
    }

    @Test
    void leavesOutWhatIsTheShardsOwnAndWhatIsOnlyKept() {
        source.execute("INSERT INTO m.drug (code, name) VALUES ('X', 'gone soon')");
        sync.run(source, target, "one");
        target.execute("INSERT INTO m.prescription (drug, text) SELECT id, 'mine' FROM m.drug WHERE code = 'X'",
                "INSERT INTO m.postal VALUES ('0000000', 99, 'local')",
                "UPDATE m.drug SET secret = 'other'");
        source.execute("DELETE FROM m.drug WHERE code = 'X'");
        sync.run(source, target, "two");
        assertEquals("1", target.value("SELECT count(*) FROM lockstep.kept_row"));
        assertEquals(sums(source).sums(), sums(target).sums());
    }

    @Test
    void settingsOfTheSessionDoNotMatter() {
        source.execute("ALTER DATABASE " + source.name() + " SET datestyle = 'German'",
                "ALTER DATABASE " + source.name() + " SET extra_float_digits = -3");
        sync.run(source, target, "one");
        assertEquals(sums(source).sums(), sums(target).sums());
    }

    @Test
    void whatCannotBeReadIsNeverEqual() {
        sync.run(source, target, "one");
        target.execute("ALTER TABLE m.postal RENAME TO elsewhere");
        assertThrows(Fault.class, () -> sums(target));
        assertThrows(IllegalArgumentException.class, () -> sums(target, new DataSet("none", "clinic-1", List.of())));
        assertThrows(Fault.class, () -> sums(target, new DataSet("master", "clinic-1",
                List.of(new Table("m.drug", List.of("id", "nothing"), List.of("id"), Optional.empty())))));
    }

    @Test
    void sharesNoCodeWithTheEngine() throws IOException {
        try (Stream<Path> files = Files.walk(Path.of("src/main/java/lockstep/masterdata/check"))) {
            for (Path file : files.filter(Files::isRegularFile).toList())
                assertEquals(List.of(), Files.readAllLines(file).stream()
                        .filter(l -> l.startsWith("import lockstep.") && !l.startsWith("import lockstep.landscape.")).toList());
        }
    }
}
