package lockstep.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext;

/** One cloud for all end-to-end tests: started before the first test and stopped after the last. */
final class SharedCloud implements BeforeAllCallback {
    /**
     * Checks of the watch are as frequent and alarms as fast as possible. Each test decides when its shards are watched and when syncs
     * start automatically.
     */
    static final TestingCloud CLOUD = new TestingCloud("end-to-end", """
            sync: {quiet: 1m}
            watch: {every: 1m, behind: 1m, age: 3m}
            checks:
              prices-are-not-negative: {sql: "SELECT count(*) FROM master.drug WHERE price < 0", expected: "0"}
            """);

    @Override
    public void beforeAll(ExtensionContext context) {
        context.getRoot().getStore(Namespace.create(SharedCloud.class)).computeIfAbsent("cloud", it -> up());
        CLOUD.schedule("", false);
    }

    /** Starts the cloud and returns how to stop it. */
    private static AutoCloseable up() {
        CLOUD.lockstep("down", "--purge");
        var up = CLOUD.lockstep("up");
        assertEquals(0, up.exit(), up::toString);
        return () -> {
            var down = CLOUD.lockstep("down", "--purge");
            assertEquals(0, down.exit(), down::toString);
            var left = ProcessHandle.allProcesses().filter(p -> p.info().commandLine().orElse("").contains(CLOUD.files.home().toString()))
                    .toList();
            assertEquals(List.of(), left, "processes that down left");
        };
    }
}
