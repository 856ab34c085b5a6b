package lockstep.e2e;

import static lockstep.e2e.SharedCloud.CLOUD;
import static lockstep.e2e.TestingCloud.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import lockstep.e2e.TestingCloud.Ended;
import lockstep.landscape.Names;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.SyncPaths;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sfn.model.ExecutionStatus;

/**
 * Tests syncs whose state machines, notifications or key fail. Each reports a clear result, and the next sync succeeds. {@link
 * EndToEndTest} contains other faults.
 */
@ExtendWith(SharedCloud.class)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Tag("nightly")
class FaultsEndToEndTest {
    private static final List<String> TARGETS = List.of("clinic-2", "demo-1", "qa-1", "qa-demo-1");
    private static final String BUCKET = "lockstep-111111111111-eu-central-1-master-data";

    /** Locks a row in the demo that the next sync updates. */
    private static Connection lockedAtTheDemo(int price) throws Exception {
        CLOUD.sql("clinic-1", "UPDATE master.drug SET price = " + price + " WHERE id = 11");
        var visitor = CLOUD.connect("demo-1");
        visitor.setAutoCommit(false);
        try (var statement = visitor.createStatement()) {
            statement.execute("SELECT FROM master.drug WHERE id = 11 FOR UPDATE");
        }
        return visitor;
    }

    private static void awaitPublishThatWaits() {
        await("a publish that waits for the visitor", Duration.ofSeconds(60), () -> !CLOUD.value("demo-1",
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lockstep' AND "
                        + "wait_event_type = 'Lock'")
                .equals("0"));
    }

    @Test
    @Order(1)
    void aProcessKilledWhileItPublishesIsStartedAgain() throws Exception {
        try (var visitor = lockedAtTheDemo(101)) {
            var sync = CLOUD.lockstepAsync("sync", "--output", "json");
            awaitPublishThatWaits();
            assertTrue(CLOUD.functions("demo", "RestoreShards").keySet().stream().filter(ProcessHandle::destroyForcibly).count() > 0,
                    "a process of Publish");
            visitor.rollback();
            Ended ended = sync.join();
            assertEquals(0, ended.exit(), ended::toString);
        }
        assertSameMasterRows();
    }

    @Test
    @Order(2)
    void aRestoreStoppedByHandIsMendedByTheNextSync() throws Exception {
        try (var visitor = lockedAtTheDemo(102)) {
            String before = CLOUD.master("demo-1");
            var sync = CLOUD.lockstepAsync("sync", "--output", "json", "--id", "stopped", "--timeout", "60");
            awaitPublishThatWaits();
            stop("demo", "lockstep-restore", "stopped");
            Ended ended = sync.join();
            assertTrue(ended.exit() == 1 || ended.exit() == 3, ended::toString);
            assertEquals(before, CLOUD.master("demo-1"), "the visitor still has the row");
            visitor.rollback();
        }
        assertRepaired();
    }

    @Test
    @Order(3)
    void aDumpStoppedByHandIsMendedByTheNextSync() throws Exception {
        String before = CLOUD.master("demo-1");
        try (var lock = CLOUD.connect("clinic-1"); var statement = lock.createStatement()) {
            statement.execute("UPDATE master.drug SET price = 103 WHERE id = 11");
            lock.setAutoCommit(false);
            statement.execute("REINDEX INDEX master.drug_pkey");
            var sync = CLOUD.lockstepAsync("sync", "--output", "json", "--id", "stopped-dump");
            await("a worker that waits for the lock", Duration.ofSeconds(60), () -> !CLOUD.value("clinic-1",
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'COPY%'").equals("0"));
            stop("production", "lockstep-dump", "stopped-dump");
            Ended ended = sync.join();
            assertEquals(1, ended.exit(), ended::toString);
            lock.rollback();
        }
        assertEquals(before, CLOUD.master("demo-1"));
        assertRepaired();
    }

    /**
     * While the function for notifications does not run, they wait, and then arrive late and in any order. {@link WatchEndToEndTest} covers
     * lost ones.
     */
    @Test
    @Order(4)
    void notificationsThatAreLateEndInTheNewest() {
        CLOUD.whileNobodyListensAtTheDemo(queue -> {
            for (String late : List.of("late-1", "late-2")) {
                CLOUD.sql("clinic-1", "UPDATE master.drug SET price = price + 1 WHERE id = 11");
                assertEquals(3, CLOUD.lockstep("sync", "--id", late, "--timeout", "20").exit());
            }
        });
        String source = CLOUD.master("clinic-1");
        await("the later of two late syncs", Duration.ofSeconds(60), () -> CLOUD.master("demo-1").equals(source));
        assertRepaired();
    }

    @Test
    @Order(5)
    void aKeyThatIsDisabledIsToldAndNothingIsTaken() {
        CLOUD.sql("clinic-1", "UPDATE master.drug SET price = 105 WHERE id = 11");
        assertEquals(0, CLOUD.lockstep("sync", "--id", "well-signed").exit());
        String before = CLOUD.master("demo-1");
        try (var kms = CLOUD.root("production").client(KmsClient.builder())) {
            String key = kms.describeKey(r -> r.keyId(Names.keyAliasArn("eu-central-1", "111111111111", "alias/lockstep-signing")))
                    .keyMetadata().keyId();
            kms.disableKey(r -> r.keyId(key));
            try {
                CLOUD.sql("clinic-1", "UPDATE master.drug SET price = 106 WHERE id = 11");
                Ended unsigned = CLOUD.lockstep("sync", "--output", "json");
                assertEquals(1, unsigned.exit(), unsigned::toString);
                assertTrue(unsigned.json().get("dump").get("error").asString().contains("AccessRefused"), unsigned::toString);
                assertTrue(unverified().contains("AccessRefused"), "the target can't verify what was signed before");
            } finally {
                kms.enableKey(r -> r.keyId(key));
            }
        }
        assertEquals(before, CLOUD.master("demo-1"));
        assertRepaired();
    }

    /** Returns how a restore of the signed sync ends. */
    private static String unverified() {
        try (var sfn = CLOUD.root("demo").client(SfnClient.builder())) {
            String input = Json.MAPPER.writeValueAsString(Map.of("dataSet", "master", "syncId", "well-signed", "bucket", BUCKET,
                    "manifestKey", SyncPaths.manifest("master", "well-signed"), "snapshotTime", "2026-01-01T00:00:00Z"));
            sfn.startExecution(r -> r
                    .stateMachineArn(Names.statesArn("eu-central-1", CLOUD.account("demo").id(), "stateMachine", "lockstep-restore"))
                    .name(Names.execution("master", "unverified")).input(input));
            String execution = execution("demo", "lockstep-restore", "unverified");
            await("the end of a restore that can't verify", Duration.ofMinutes(2),
                    () -> sfn.describeExecution(r -> r.executionArn(execution)).status() != ExecutionStatus.RUNNING);
            var ended = sfn.describeExecution(r -> r.executionArn(execution));
            assertEquals(ExecutionStatus.FAILED, ended.status());
            return ended.cause();
        }
    }

    private static void stop(String account, String machine, String name) {
        try (var sfn = CLOUD.root(account).client(SfnClient.builder())) {
            sfn.stopExecution(r -> r.executionArn(execution(account, machine, name)).error("Stopped").cause("by hand"));
        }
    }

    private static String execution(String account, String machine, String name) {
        return Names.statesArn("eu-central-1", CLOUD.account(account).id(), "execution", machine + ":" + Names.execution("master", name));
    }

    private static void assertRepaired() {
        Ended next = CLOUD.lockstep("sync", "--output", "json");
        assertEquals(0, next.exit(), next::toString);
        assertSameMasterRows();
        for (String shard : TARGETS)
            assertEquals("0", CLOUD.value(shard, "SELECT count(*) FROM pg_class WHERE relname LIKE 'staging%'"), shard);
    }

    private static void assertSameMasterRows() {
        String source = CLOUD.master("clinic-1");
        for (String shard : TARGETS) assertEquals(source, CLOUD.master(shard), shard);
    }
}
