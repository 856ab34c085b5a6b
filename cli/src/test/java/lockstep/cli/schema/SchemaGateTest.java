package lockstep.cli.schema;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import lockstep.landscape.Product;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Compares a tiny product with itself plus one migration. Its tests run on a real server, with linting by squawk. The gate itself runs the
 * sample's own tests in {@link SampleSchemaGateTest}.
 */
@Tag("nightly")
class SchemaGateTest {
    private static final ProjectFiles LAUNCHER = ProjectFiles.ofLauncher();
    /** The first two lines of a migration; its statements start in line 3. */
    private static final String LIMITS = "SET LOCAL lock_timeout = '5s';\nSET LOCAL statement_timeout = '1min';\n";
    private static final String MORE = "V3__more.sql";
    private static EmbeddedPostgres server;
    private static Product product;

    @TempDir private Path directory;
    private Path previous;
    private Path next;

    @BeforeAll
    static void start() throws IOException {
        server = EmbeddedPostgres.start();
        product = new Product("shop", Path.of("shop"), new Product.Existing("shop"), 8080, "/", new Product.Commands(List.of(), List.of(),
                List.of(), List.of(), List.of()), Optional.empty(), Optional.of(Path.of("shop/migrations")),
                List.of(Path.of(System.getProperty("java.home"), "bin/java").toString(), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"), ShopTests.class.getName(), server.getJdbcUrl("postgres", "postgres")));
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    @BeforeEach
    void twoReleases() throws IOException {
        previous = release("previous");
        next = release("next");
    }

    private Path release(String name) throws IOException {
        Path tree = directory.resolve(name), migrations = Files.createDirectories(tree.resolve("shop/migrations"));
        Files.copy(LAUNCHER.project().resolve("examples/clinic/.squawk.toml"), tree.resolve(".squawk.toml"));
        Files.writeString(migrations.resolve("V1__inquiry.sql"),
                "CREATE TABLE inquiry (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, message text NOT NULL);\n");
        Files.writeString(migrations.resolve("V2__meeting.sql"), "ALTER TABLE inquiry ADD COLUMN meeting_at timestamptz;\n");
        Files.writeString(tree.resolve("shop/code.sql"), """
                Inquiries#kept: INSERT INTO inquiry (message, meeting_at) VALUES ('a question', now())
                Inquiries#counted: SELECT count(*) FROM inquiry
                """);
        return tree;
    }

    @Test
    void expandingIsCompatible() throws IOException {
        var verdict = judge("""
                -- a later release will fill it; "; DROP TABLE inquiry" is no statement here
                ALTER TABLE inquiry ADD COLUMN phone text;
                COMMENT ON COLUMN inquiry.phone IS 'not a statement; either';
                """);
        assertEquals(List.of(), verdict.findings(), verdict::text);
        assertTrue(verdict.text().contains("compatible: 1 migrations with 2 statements since before"), verdict::text);
    }

    @Test
    void droppedColumnIsTold() throws IOException {
        var verdict = judge("""
                ALTER TABLE inquiry ADD COLUMN phone text;
                ALTER TABLE inquiry DROP COLUMN meeting_at;
                ALTER TABLE inquiry ADD COLUMN fax text;
                """);
        assertTold(verdict, 4, "ALTER TABLE inquiry DROP COLUMN meeting_at", "breaks before", "ban-drop-column");
        assertTrue(verdict.text().contains("shop.Inquiries#kept: ERROR: column \"meeting_at\""),
                verdict::text);
    }

    @Test
    void renamedColumnIsTold() throws IOException {
        assertTold(judge("ALTER TABLE inquiry RENAME COLUMN message TO words;\n"), 3,
                "ALTER TABLE inquiry RENAME COLUMN message TO words", "breaks before", "renaming-column");
    }

    /** It fails on existing rows, and the previous release cannot insert new ones. */
    @Test
    void requiredColumnIsTold() throws IOException {
        var verdict = judge("ALTER TABLE inquiry ADD COLUMN source text NOT NULL;\n");
        String statement = "ALTER TABLE inquiry ADD COLUMN source text NOT NULL";
        assertTold(verdict, 3, statement, "breaks before", "adding-required-field");
        assertTrue(
                verdict.findings().stream().anyMatch(
                        it -> it.statement().equals(statement) && it.what().equals("fails on a database with data of before")),
                verdict::text);
    }

    @Test
    void narrowedTypeIsTold() throws IOException {
        assertTold(judge("ALTER TABLE inquiry ALTER COLUMN message TYPE varchar(5);\n"), 3,
                "ALTER TABLE inquiry ALTER COLUMN message TYPE varchar(5)", "breaks before", "changing-column-type");
    }

    /** A release must not need what its own migration adds, because it may still run on the old schema during the deployment. */
    @Test
    void newReleaseThatNeedsItsMigrationIsTold() throws IOException {
        Files.writeString(next.resolve("shop/code.sql"),
                "Inquiries#kept: INSERT INTO inquiry (message, phone) VALUES ('a question', '-')\n");
        var verdict = judge("ALTER TABLE inquiry ADD COLUMN fax text;\nALTER TABLE inquiry ADD COLUMN phone text;\n");
        assertTrue(verdict.findings().stream()
                .anyMatch(it -> it.line() == 4 && it.statement().equals("ALTER TABLE inquiry ADD COLUMN phone text")
                        && it.what().startsWith("is needed by the new release")),
                verdict::text);
    }

    @Test
    void releasedMigrationsStayAsTheyAreAndNumbersGoUp() throws IOException {
        Path migrations = next.resolve("shop/migrations");
        Files.writeString(migrations.resolve("V2__meeting.sql"), "-- tidied\n", StandardOpenOption.APPEND);
        Files.delete(migrations.resolve("V1__inquiry.sql"));
        Files.writeString(migrations.resolve("V2__late.sql"), "SELECT 1;\n");
        var verdict = gate("").judge();
        assertEquals(
                List.of("V1__inquiry.sql exists in before but was deleted", "V2__meeting.sql was changed since before",
                        "V2__late.sql is new, but its number is not above 2, the last of before"),
                verdict.findings().stream().map(it -> it.file() + " " + it.what()).toList());
    }

    @Test
    void badInputSaysWhatIsExpected() throws IOException {
        Path nothing = Files.createDirectory(directory.resolve("nothing"));
        assertEquals(nothing + " is not a release: expected migrations in shop/migrations",
                assertThrows(UserFault.class, () -> new ReleaseTests(nothing, product, directory.resolve("log"), Optional.empty()))
                        .getMessage());
        Files.writeString(next.resolve(product.migrations().orElseThrow()).resolve("five.sql"), "SELECT 1;\n");
        assertEquals("'five.sql' is not a migration: expected a name such as V5__what_it_does.sql",
                assertThrows(UserFault.class, () -> gate("").judge()).getMessage());
    }

    @Test
    void statementsAreSplitWhereAServerWould() throws IOException {
        Path migrations = Files.createDirectory(directory.resolve("migrations"));
        Files.writeString(migrations.resolve("V1__a.sql"), """
                /* one; two */
                CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $body$
                BEGIN
                    RETURN 'a;b';
                END $body$;

                -- last; comment
                INSERT INTO t VALUES ('x;''y', $$;$$)
                ;
                SELECT 1
                """);
        var statements = Migrations.in(migrations).statements();
        assertEquals(List.of(2, 8, 10), statements.stream().map(Migrations.Statement::line).toList());
        assertEquals("INSERT INTO t VALUES ('x;''y', $$;$$)", statements.get(1).sql());
    }

    private Verdict judge(String migration) throws IOException {
        Files.writeString(next.resolve(product.migrations().orElseThrow()).resolve(MORE), LIMITS + migration);
        return gate("").judge();
    }

    private SchemaGate gate(String tests) {
        var older = new ReleaseTests(previous, product, directory.resolve("previous.log"), Optional.empty());
        var newer = new ReleaseTests(next, product, directory.resolve("next.log"), Optional.of(older.directory()));
        return new SchemaGate(older, newer, new Linter(LAUNCHER.nodeTools()), "before", tests, _ -> {});
    }

    private static void assertTold(Verdict verdict, int line, String statement, String what, String rule) {
        assertAll(
                () -> assertTrue(verdict.findings().stream()
                        .anyMatch(it -> it.file().equals(MORE) && it.line() == line && it.statement().equals(statement)
                                && it.what().startsWith(what) && !it.tests().isEmpty()),
                        verdict::text),
                () -> assertTrue(
                        verdict.findings().stream().anyMatch(
                                it -> it.line() == line && it.statement().equals(statement) && it.what().startsWith("squawk " + rule)),
                        verdict::text),
                () -> assertTrue(verdict.findings().stream().allMatch(it -> it.line() == line), verdict::text));
    }
}
