package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.poll.Poll;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Tests that a source whose server restarts, crashes or has prepared transactions is read when it must be. */
class UnreadServerTest {
    private static final String ALL = "m.drug m.interaction m.postal";
    private static TestingCluster cluster;

    private final TestingSync sync = new TestingSync(TestingProduct.DATA_SET);
    private final TestingDatabase source = TestingProduct.rows(TestingProduct.tables(cluster.create()));

    @BeforeAll
    static void start() {
        cluster = new TestingCluster();
    }

    @AfterAll
    static void stop() throws IOException {
        cluster.close();
    }

    @BeforeEach
    void itIsNotReadWithoutReason() {
        UnreadSourceTest.dump(sync, source, "zero");
        source.execute("SELECT pg_current_xact_id()");
        assertEquals("", UnreadSourceTest.dump(sync, source, "one"));
    }

    private String dumpAfterAsManyWritesAsBefore() {
        source.execute("UPDATE m.drug SET price = -1");
        assertTrue(Poll.within(Duration.ofSeconds(20),
                () -> "500".equals(source.value("SELECT n_tup_ins + n_tup_upd FROM pg_stat_user_tables WHERE relname = 'drug'"))),
                "the counts were lost");
        return UnreadSourceTest.dump(sync, source, "two");
    }

    @Test
    void aCrashLosesTheCounts() throws Exception {
        String started = source.value("SELECT pg_postmaster_start_time()");
        try (var connection = source.connect(); var statement = connection.createStatement()) {
            var row = statement.executeQuery("SELECT inet_client_port()");
            row.next();
            cluster.crash(row.getInt(1));
        }
        TestingCluster.pause(500);
        cluster.awaitUp();
        assertEquals(started, source.value("SELECT pg_postmaster_start_time()"), "nothing else shows it");
        assertTrue(dumpAfterAsManyWritesAsBefore().contains("m.drug"));
    }

    @Test
    void aServerThatWasKilledLosesTheCounts() {
        cluster.restart(true, Duration.ZERO);
        cluster.awaitUp();
        assertTrue(dumpAfterAsManyWritesAsBefore().contains("m.drug"));
    }

    /** A failover and a restored server are seen in the same way: another server process has another start time. */
    @Test
    void anotherServerProcessIsNotTrusted() {
        String started = source.value("SELECT pg_postmaster_start_time()");
        cluster.restart(false, Duration.ZERO);
        cluster.awaitUp();
        assertNotEquals(started, source.value("SELECT pg_postmaster_start_time()"));
        assertEquals("500", source.value("SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'drug'"), "the counts are kept");
        assertEquals(ALL, UnreadSourceTest.dump(sync, source, "two"));
    }

    /** The rows of a prepared transaction are written and belong to no session; they are counted when it is committed. */
    @Test
    void aPreparedTransactionIsReadWhenItIsCommitted() {
        source.execute("BEGIN; UPDATE m.drug SET price = -1; PREPARE TRANSACTION 'later'");
        assertEquals("", UnreadSourceTest.dump(sync, source, "two"));
        source.execute("SELECT pg_current_xact_id()", "COMMIT PREPARED 'later'");
        assertEquals("m.drug", UnreadSourceTest.dump(sync, source, "three"));
        assertEquals("-1", source.value("SELECT DISTINCT price FROM m.drug"));
    }
}
