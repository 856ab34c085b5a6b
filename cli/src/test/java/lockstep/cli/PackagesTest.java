package lockstep.cli;

import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import lockstep.project.ProjectFiles;
import org.junit.jupiter.api.Test;

/** Packages depend on each other in one direction only. Maven rules out cycles between modules; this test does so within each of them. */
class PackagesTest {
    private static final List<
            String> MODULES = List.of("landscape", "lambdas", "migration", "infra", "examples/clinic", "assembly", "accounts", "localcloud",
                    "cli");

    private static final Path PROJECT = ProjectFiles.ofLauncher().project();

    /** Otherwise they would not be samples: any product must do in their place. */
    @Test
    void nothingOutsideTheSamplesMentionsOne() throws IOException {
        var samples = names(PROJECT.resolve("examples"));
        assertTrue(samples.size() > 1, samples::toString);
        var mention = Pattern.compile(String.join("|", samples), Pattern.CASE_INSENSITIVE);
        int read = 0;
        for (String module : names(PROJECT)) {
            Path sources = PROJECT.resolve(module).resolve("src/main");
            if (!Files.isDirectory(sources)) continue;
            try (var files = Files.walk(sources)) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    var found = mention.matcher(file + "\n" + Files.readString(file, StandardCharsets.ISO_8859_1));
                    assertFalse(found.find(sources.toString().length()), () -> file + " mentions " + found.group());
                    read++;
                }
            }
        }
        assertTrue(read > 300, read + " files");
        assertFalse(mention.matcher(Files.readString(PROJECT.resolve("lockstep"))).find(), "the launcher");
    }

    private static List<String> names(Path directory) throws IOException {
        try (var entries = Files.list(directory)) {
            return entries.filter(Files::isDirectory).map(entry -> entry.getFileName().toString()).toList();
        }
    }

    @Test
    void noCycles() {
        for (String module : MODULES) {
            var classes = new ClassFileImporter().importPath(PROJECT.resolve(module).resolve("target/classes"));
            assertTrue(classes.size() > 10, module + " has " + classes.size() + " classes");
            slices().matching("lockstep.(**)").should().beFreeOfCycles().check(classes);
        }
    }
}
