package lockstep.cli;

import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.nio.file.Path;
import java.util.List;
import lockstep.project.ProjectFiles;
import org.junit.jupiter.api.Test;

/** Packages depend on each other in one direction only. Maven rules out cycles between modules; this test does so within each of them. */
class PackagesTest {
    private static final List<
            String> MODULES = List.of("landscape", "lambdas", "infra", "examples/clinic", "assembly", "accounts", "localcloud", "cli");

    @Test
    void noCycles() {
        Path project = ProjectFiles.ofLauncher().project();
        for (String module : MODULES) {
            var classes = new ClassFileImporter().importPath(project.resolve(module).resolve("target/classes"));
            assertTrue(classes.size() > 10, module + " has " + classes.size() + " classes");
            slices().matching("lockstep.(**)").should().beFreeOfCycles().check(classes);
        }
    }
}
