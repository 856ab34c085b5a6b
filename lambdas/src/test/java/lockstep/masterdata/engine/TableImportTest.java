package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.imports.TableImport.Kind;
import lockstep.masterdata.engine.imports.TableImport.Outcome;
import lockstep.masterdata.engine.imports.TableImport;
import lockstep.masterdata.engine.postgres.DatabaseRoles;
import lockstep.masterdata.engine.postgres.PostgresDatabase.Login;
import lockstep.masterdata.engine.postgres.Sql;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

/** Tests that a file is imported completely or not at all, by the login that may write only the data set. */
class TableImportTest {
    private static final String DRUGS = "SELECT id, code, name, price, facts, tags FROM m.drug ORDER BY id";
    private final TestingDatabase source = prepared(TestingProduct.source());
    /** The expected content of the source. */
    private final TestingDatabase edition = TestingProduct.source();

    private static TestingDatabase prepared(TestingDatabase database) {
        new DatabaseRoles(database).prepare(new Login("h", 1, database.name(), "reader", "secret"),
                new Login("h", 1, database.name(), "writer", "secret"), List.of(TestingProduct.DATA_SET));
        return database;
    }

    private Outcome bringIn(String table, String csv, boolean dryRun) {
        return bringIn(table, csv.getBytes(StandardCharsets.UTF_8), dryRun);
    }

    private Outcome bringIn(String table, byte[] csv, boolean dryRun) {
        return new TableImport(source.as("writer"), Duration.ofSeconds(1)).run(TestingProduct.DATA_SET, table,
                () -> new ByteArrayInputStream(csv), dryRun, false);
    }

    private static String csv(TestingDatabase database, String query) {
        return database.run(connection -> {
            var out = new ByteArrayOutputStream();
            try {
                connection.unwrap(PGConnection.class).getCopyAPI().copyOut("COPY (" + query + ") TO STDOUT WITH (FORMAT csv, HEADER true)",
                        out);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return out.toString(StandardCharsets.UTF_8);
        });
    }

    /** Asserts that the file is refused with these words, without changes. */
    private void refused(String table, String csv, String... words) {
        String before = TestingProduct.contents(source);
        var refused = assertThrows(Fault.FileRefused.class, () -> bringIn(table, csv, false));
        for (String word : words) assertTrue(refused.getMessage().contains(word), word + " is not in: " + refused.getMessage());
        assertTrue(refused.getMessage().toLowerCase(java.util.Locale.ROOT).contains("nothing was changed"), refused.getMessage());
        assertEquals(before, TestingProduct.contents(source));
    }

    private static List<Long> counts(Outcome outcome) {
        return List.of(outcome.rows(), outcome.inserted(), outcome.updated(), outcome.deleted(), outcome.kept());
    }

    @Test
    void theTableBecomesTheFile() {
        for (var database : List.of(source, edition)) database.execute("DELETE FROM m.interaction WHERE a = 10 OR b = 10");
        edition.execute("UPDATE m.drug SET price = 99, name = E'two\nlines, \"quoted\"' WHERE id % 50 = 3",
                "DELETE FROM m.drug WHERE id = 10",
                "INSERT INTO m.drug (id, code, name) OVERRIDING SYSTEM VALUE VALUES (1000, 'NEW', '')");
        String before = TestingProduct.contents(source);
        var told = bringIn("m.drug", csv(edition, DRUGS), true);
        assertEquals(before, TestingProduct.contents(source), "a dry run changes nothing");

        var done = bringIn("m.drug", csv(edition, DRUGS), false);
        assertEquals(List.of(500L, 1L, 10L, 1L, 0L), counts(done));
        assertEquals(counts(done), counts(told));
        assertEquals(done.samples(), told.samples());
        assertEquals(TestingProduct.contents(edition), TestingProduct.contents(source));
        assertEquals("internal 3", source.value("SELECT secret FROM m.drug WHERE id = 3"), "what is not in the data set stays");
        assertEquals("1001", source.value("INSERT INTO m.drug (code) VALUES ('next') RETURNING id"),
                "the sequence goes on after what came");

        var updated = done.samples().stream().filter(s -> s.kind() == Kind.updated).findFirst().orElseThrow();
        assertEquals(Map.of("id", "3", "name", "薬 3", "price", "0.30000000000000000000"), updated.before());
        assertEquals(Map.of("id", "3", "name", "two\nlines, \"quoted\"", "price", "99"), updated.after());
        assertEquals(List.of(0L, 0L, 0L), counts(bringIn("m.drug", csv(source, DRUGS), false)).subList(1, 4), "nothing to do");
    }

    @Test
    void whatIsReferredToStaysAndIsTold() {
        source.execute("INSERT INTO m.prescription (drug, text) VALUES (7, 'mine')");
        var told = bringIn("m.drug", csv(edition, "SELECT id, code, name, price, facts, tags FROM m.drug WHERE id <> 7"), false);
        assertEquals(List.of(499L, 0L, 0L, 0L, 1L), counts(told));
        assertEquals("7", told.samples().getFirst().before().get("id"));
        assertTrue(told.referring().contains(new TableImport.Referring("m.prescription", List.of("drug"), 1)), told.referring()::toString);
        assertEquals("7", source.value("SELECT id FROM m.drug WHERE id = 7"));
    }

    @Test
    void rowsOfTheShardsOwnAreLeftAlone() {
        var told = bringIn("m.postal", "town,seq,code\nfirst,1,0000001\n", false);
        assertEquals(List.of(1L, 0L, 1L, 299L, 0L), counts(told));
        assertEquals("0000001 first, 9999999 local",
                source.value("SELECT string_agg(code || ' ' || town, ', ' ORDER BY code) FROM m.postal"));
        refused("m.postal", "code,seq,town\n0000001,1,first\n0000002,1,local\n", "line 3 (0000002,1)", "outside the data set's filter");
        refused("m.postal", "code,seq,town\n9999999,1,elsewhere\n", "line 2 (9999999,1)", "belongs to the shard");
    }

    @Test
    void valuesThatDoNotFitAreToldWithLineAndColumn() {
        refused("m.drug", "id,code,name,price,facts,tags\n1,D1,x,1,,\n2,D2,y,abc,,\n", "line 3, column price", "numeric", "abc");
        refused("m.drug", "id,code,name,price,facts,tags\n1,D1,\"two\nlines\",1,,\n2,D2,y,abc,,\n", "line 4, column price");
        refused("m.drug", "id,code,name,price,facts,tags\n1,D1,x,1,{,\n", "line 2, column facts");
        refused("m.drug", "id,code,name,price,facts,tags\n1,,x,1,,\n", "line 2, column code", "An empty field is NULL");
        refused("m.drug", "id,code,name,price,facts,tags\n1,D1,x,1,,\n2,D2,x\n", "line 3", "3 fields, and the header has 6");
        refused("m.drug", "id,code,name,price,facts,tags\n1,D1,x,1,,\n2,D1,y,1,,\n", "line 3", "(code)=(D1)");
        source.execute("ALTER TABLE m.drug ADD CONSTRAINT not_given_away CHECK (price > 0)");
        refused("m.drug", "id,code,name,price,facts,tags\n1,D1,x,1,,\n2,D2,y,0,,\n", "line 3", "not_given_away");
    }

    @Test
    void headersThatDoNotFitAreTold() {
        refused("m.drug", "id,code,name,price,facts,secret\n", "line 1", "it lacks tags", "it has secret");
        refused("m.drug", "id;code;name;price;facts;tags\n", "Save it with commas");
        refused("m.drug", "", "the file is empty");
        refused("m.drug", "\uFEFFid,code,name,price,facts,\"tags\"\n", "would empty m.drug");
        assertThrows(Fault.InvalidRequest.class, () -> bringIn("m.prescription", "id\n", false));
        var otherwise = assertThrows(Fault.FileRefused.class,
                () -> bringIn("m.drug", "id,code,name,price,facts,tags\n".getBytes(StandardCharsets.UTF_16), false));
        assertTrue(otherwise.getMessage().contains("Save the file as UTF-8"), otherwise.getMessage());
    }

    @Test
    void whatIsReferredToHasToBeThere() {
        refused("m.interaction", "id,a,b,note\n1,1,,\"two\nlines\"\n2,9999,,z\n3,1,8888,z\n", "line 4 (9999): in a refers to",
                "line 5 (8888): in b refers to", "Import m.drug first");
    }

    @Test
    void whatTheTableRefusesIsTold() {
        edition.execute("UPDATE m.drug SET code = 'swap' WHERE id = 1", "UPDATE m.drug SET code = 'D1' WHERE id = 2",
                "UPDATE m.drug SET code = 'D2' WHERE id = 1");
        refused("m.drug", csv(edition, DRUGS), "exchange unique values");
    }

    @Test
    void whoWritesNowIsWaitedForAndNotForLong() {
        source.run(connection -> {
            connection.setAutoCommit(false);
            Sql.execute(connection, "UPDATE m.drug SET name = 'edited' WHERE id = 1");
            assertThrows(Fault.Busy.class, () -> bringIn("m.drug", csv(edition, DRUGS), false));
            connection.rollback();
            return null;
        });
    }
}
