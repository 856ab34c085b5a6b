package lockstep.cli.schema;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import lockstep.cli.SchemaGateCommand;
import lockstep.landscape.LandscapeReader;
import lockstep.landscape.Product;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compares the clinic with itself plus one migration, with its real tests on real servers. One test that uses the table is enough. */
@Tag("nightly")
class SchemaGateTest {
    private static final ProjectFiles LAUNCHER = ProjectFiles.ofLauncher();
    private static final Path LANDSCAPE = LAUNCHER.project().resolve("lockstep.yaml");
    private static final Product PRODUCT = SchemaGateCommand.product(LandscapeReader.read(LANDSCAPE).product(), LAUNCHER.project(),
            LANDSCAPE);
    private static final String INQUIRY = "DemoTest#inquiryIsKeptWithItsMeeting";
    /** The first two lines of a migration; its statements start in line 3. */
    private static final String LIMITS = "SET LOCAL lock_timeout = '5s';\nSET LOCAL statement_timeout = '1min';\n";
    private static final int LAST = Migrations
            .number(Migrations.in(LAUNCHER.project().resolve(PRODUCT.migrations().orElseThrow())).files().lastEntry().getKey());
    private static final String MORE = "V" + (LAST + 1) + "__more.sql";

    @TempDir private Path directory;
    private Path previous;
    private Path next;

    @BeforeEach
    void twoReleases() {
        previous = directory.resolve("previous");
        next = directory.resolve("next");
        SchemaGateCommand.copy(LAUNCHER.project(), previous);
        SchemaGateCommand.copy(LAUNCHER.project(), next);
    }

    @Test
    void expandingIsCompatible() throws IOException {
        var verdict = judge("""
                -- a later release will fill it; "; DROP TABLE tenant.inquiry" is no statement here
                ALTER TABLE tenant.inquiry ADD COLUMN phone text;
                COMMENT ON COLUMN tenant.inquiry.phone IS 'not a statement; either';
                """);
        assertEquals(List.of(), verdict.findings(), verdict::text);
        assertTrue(verdict.text().contains("compatible: 1 migrations with 2 statements since before"), verdict::text);
    }

    @Test
    void droppedColumnIsTold() throws IOException {
        var verdict = judge("""
                ALTER TABLE tenant.inquiry ADD COLUMN phone text;
                ALTER TABLE tenant.inquiry DROP COLUMN meeting_at;
                ALTER TABLE tenant.inquiry ADD COLUMN fax text;
                """);
        assertTold(verdict, 4, "ALTER TABLE tenant.inquiry DROP COLUMN meeting_at", "breaks before", "ban-drop-column");
        assertTrue(verdict.text().contains("lockstep.clinic.DemoTest#inquiryIsKeptWithItsMeeting: ERROR: column \"meeting_at\""),
                verdict::text);
    }

    @Test
    void renamedColumnIsTold() throws IOException {
        assertTold(judge("ALTER TABLE tenant.inquiry RENAME COLUMN message TO words;\n"), 3,
                "ALTER TABLE tenant.inquiry RENAME COLUMN message TO words", "breaks before", "renaming-column");
    }

    /** It fails on existing rows, and the previous release cannot insert new ones. */
    @Test
    void requiredColumnIsTold() throws IOException {
        var verdict = judge("ALTER TABLE tenant.inquiry ADD COLUMN source text NOT NULL;\n");
        String statement = "ALTER TABLE tenant.inquiry ADD COLUMN source text NOT NULL";
        assertTold(verdict, 3, statement, "breaks before", "adding-required-field");
        assertTrue(
                verdict.findings().stream().anyMatch(
                        it -> it.statement().equals(statement) && it.what().equals("fails on a database with data of before")),
                verdict::text);
    }

    @Test
    void narrowedTypeIsTold() throws IOException {
        assertTold(judge("ALTER TABLE tenant.inquiry ALTER COLUMN message TYPE varchar(5);\n"), 3,
                "ALTER TABLE tenant.inquiry ALTER COLUMN message TYPE varchar(5)", "breaks before", "changing-column-type");
    }

    /** A release must not need what its own migration adds, because it may still run on the old schema during the deployment. */
    @Test
    void newReleaseThatNeedsItsMigrationIsTold() throws IOException {
        Path inquiries = next.resolve("examples/clinic/src/main/java/lockstep/clinic/demo/Inquiries.java");
        String source = Files.readString(inquiries);
        String needing = source.replace("meeting_at) VALUES (?", "meeting_at, phone) VALUES (?").replace("?, ?, ?, ?, ?)",
                "?, ?, ?, ?, ?, '-')");
        assertTrue(!needing.equals(source) && needing.contains("'-')"), source);
        Files.writeString(inquiries, needing);
        var verdict = judge("ALTER TABLE tenant.inquiry ADD COLUMN fax text;\nALTER TABLE tenant.inquiry ADD COLUMN phone text;\n");
        assertTrue(verdict.findings().stream()
                .anyMatch(it -> it.line() == 4 && it.statement().equals("ALTER TABLE tenant.inquiry ADD COLUMN phone text")
                        && it.what().startsWith("is needed by the new release")),
                verdict::text);
    }

    @Test
    void releasedMigrationsStayAsTheyAreAndNumbersGoUp() throws IOException {
        Path migrations = next.resolve(PRODUCT.migrations().orElseThrow());
        Files.writeString(migrations.resolve("V4__demo.sql"), "-- tidied\n", java.nio.file.StandardOpenOption.APPEND);
        Files.delete(migrations.resolve("V3__accounts.sql"));
        Files.writeString(migrations.resolve("V2__late.sql"), "SELECT 1;\n");
        var verdict = gate("").judge();
        assertEquals(
                List.of("V3__accounts.sql exists in before but was deleted", "V4__demo.sql was changed since before",
                        "V2__late.sql is new, but its number is not above " + LAST + ", the last of before"),
                verdict.findings().stream().map(it -> it.file() + " " + it.what()).toList());
    }

    @Test
    void badInputSaysWhatIsExpected() throws IOException {
        Path nothing = Files.createDirectory(directory.resolve("nothing"));
        assertEquals(nothing + " is not a release: expected migrations in examples/clinic/src/main/resources/db/migration",
                assertThrows(UserFault.class, () -> new ReleaseTests(nothing, PRODUCT, directory.resolve("log"), Optional.empty()))
                        .getMessage());
        Files.writeString(next.resolve(PRODUCT.migrations().orElseThrow()).resolve("five.sql"), "SELECT 1;\n");
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
        Files.writeString(next.resolve(PRODUCT.migrations().orElseThrow()).resolve(MORE), LIMITS + migration);
        return gate(INQUIRY).judge();
    }

    private SchemaGate gate(String tests) {
        var older = new ReleaseTests(previous, PRODUCT, directory.resolve("previous.log"), Optional.empty());
        var newer = new ReleaseTests(next, PRODUCT, directory.resolve("next.log"), Optional.of(older.directory()));
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
