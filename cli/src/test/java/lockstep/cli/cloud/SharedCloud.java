package lockstep.cli.cloud;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;

/** One cloud for all end-to-end tests: brought up before the first of them, taken down when all tests have ended. */
final class SharedCloud implements BeforeAllCallback {
    static final TestingCloud CLOUD = new TestingCloud("end-to-end");

    @Override
    public void beforeAll(ExtensionContext context) {
        context.getRoot().getStore(Namespace.create(SharedCloud.class)).computeIfAbsent("cloud", it -> up());
    }

    /** Answers how it is taken down. */
    private static AutoCloseable up() {
        CLOUD.lockstep("down", "--purge");
        var up = CLOUD.lockstep("up");
        assertEquals(0, up.exit(), up::toString);
        return () -> {
            var down = CLOUD.lockstep("down", "--purge");
            assertEquals(0, down.exit(), down::toString);
            var left = ProcessHandle.allProcesses().filter(p -> p.info().commandLine().orElse("").contains(CLOUD.files.home().toString())).toList();
            assertEquals(List.of(), left, "processes that down left");
        };
    }
}
