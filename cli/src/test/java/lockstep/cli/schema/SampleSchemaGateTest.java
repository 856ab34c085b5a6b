package lockstep.cli.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import lockstep.cli.SchemaGateCommand;
import lockstep.landscape.LandscapeReader;
import lockstep.project.ProjectFiles;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The schema gate with the sample's own tests. {@link SchemaGateTest} proves what the gate finds. */
@Tag("nightly")
class SampleSchemaGateTest {
    @TempDir private Path directory;

    @Test
    void aDroppedColumnBreaksThePreviousRelease() throws IOException {
        var launcher = ProjectFiles.ofLauncher();
        Path landscape = launcher.project().resolve("lockstep.yaml");
        var product = SchemaGateCommand.product(LandscapeReader.read(landscape).product().orElseThrow(), launcher.project(), landscape);
        Path previous = directory.resolve("previous"), next = directory.resolve("next");
        SchemaGateCommand.copy(launcher.project(), previous);
        SchemaGateCommand.copy(launcher.project(), next);
        Files.writeString(next.resolve(product.migrations().orElseThrow()).resolve("V999__more.sql"), """
                SET LOCAL lock_timeout = '5s';
                SET LOCAL statement_timeout = '1min';
                ALTER TABLE tenant.inquiry DROP COLUMN meeting_at;
                """);
        var older = new ReleaseTests(previous, product, directory.resolve("previous.log"), Optional.empty());
        var newer = new ReleaseTests(next, product, directory.resolve("next.log"), Optional.of(older.directory()));
        var verdict = new SchemaGate(older, newer, new Linter(launcher.nodeTools()), "before", "DemoTest#inquiryIsKeptWithItsMeeting",
                _ -> {}).judge();
        assertTrue(verdict.text().contains("lockstep.clinic.DemoTest#inquiryIsKeptWithItsMeeting: ERROR: column \"meeting_at\""),
                verdict::text);
        assertEquals(List.of(3), verdict.findings().stream().map(Verdict.Finding::line).distinct().toList(), verdict::text);
    }
}
