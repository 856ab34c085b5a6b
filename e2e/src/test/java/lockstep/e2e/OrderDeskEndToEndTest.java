package lockstep.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import software.amazon.awssdk.services.lambda.LambdaClient;

/**
 * Brings up the second sample product with its own landscape: another language, port, health path, region, account names, and quoted
 * tables. It runs first, before the shared cloud needs the memory.
 */
@Order(1)
@Tag("nightly")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class OrderDeskEndToEndTest {
    private static final TestingCloud CLOUD = TestingCloud.of("order-desk", "examples/orderdesk/lockstep.yaml");

    @BeforeAll
    static void up() {
        CLOUD.lockstep("down", "--purge");
        var up = CLOUD.lockstep("up");
        assertEquals(0, up.exit(), up::toString);
    }

    @AfterAll
    static void down() {
        var down = CLOUD.lockstep("down", "--purge");
        assertEquals(0, down.exit(), down::toString);
    }

    @Test
    @Order(1)
    void thePageOfTheDemoShowsTheMasterDataOfProduction() throws Exception {
        assertPage("<td>Großhandel</td><td>2026-04-01</td><td>400</td><td>250.00 EUR</td>");

        CLOUD.sql("desk-1",
                "UPDATE \"Order Desk\".\"lineItem\" SET \"unitPrice\" = 9999.50 WHERE \"articleNo\" = 'A-0007' AND \"listId\" = 2");
        var sync = CLOUD.lockstep("sync", "--output", "json");
        assertEquals(0, sync.exit(), sync::toString);
        assertPage("<td>Großhandel</td><td>2026-04-01</td><td>400</td><td>9999.50 EUR</td>");
        var verify = CLOUD.lockstep("verify");
        assertEquals(0, verify.exit(), verify::toString);

        var again = CLOUD.lockstep("up");
        assertEquals(0, again.exit(), again::toString);
        assertFalse(again.err().contains("started "), again::toString);
    }

    /** With no time for functions, holding the snapshot, planning the restore and publishing are tasks of the same engine. */
    @Test
    @Order(2)
    void longStepsAreTasksAndOneThatDiesIsStartedAgain() throws Exception {
        var slow = CLOUD.with(landscape -> landscape.replaceAll("( +)purpose: .*\n", "$0$1limits: {functionMinutes: 0}\n")
                .replace("product:\n", "product:\n  directory: " + product() + "\n"));
        var up = slow.lockstep("up");
        assertEquals(0, up.exit(), up::toString);
        slow.sql("desk-1",
                "UPDATE \"Order Desk\".\"lineItem\" SET \"unitPrice\" = 7777.50 WHERE \"articleNo\" = 'A-0007' AND \"listId\" = 2");
        try (var visitor = slow.connect("trial-1"); var statement = visitor.createStatement()) {
            visitor.setAutoCommit(false);
            statement.execute("SELECT FROM \"Order Desk\".\"lineItem\" WHERE \"articleNo\" = 'A-0007' FOR UPDATE");
            var sync = slow.lockstepAsync("sync", "--output", "json");
            TestingCloud.await("a task that waits for the visitor", Duration.ofMinutes(1), () -> slow.value("trial-1",
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%lineItem%'").equals("1"));
            var tasks = slow.tasks("Publish");
            assertEquals(1, tasks.size());
            tasks.getFirst().destroyForcibly();
            TestingCloud.await("another task", Duration.ofMinutes(1),
                    () -> slow.tasks("Publish").stream().anyMatch(task -> !tasks.contains(task)));
            visitor.rollback();
            assertEquals(0, sync.join().exit(), () -> sync.join().toString());
        }
        assertEquals(List.of(), slow.tasks("HoldSnapshot"));
        assertPage("<td>Großhandel</td><td>2026-04-01</td><td>400</td><td>7777.50 EUR</td>");
        // the fault of a task is told as that of a function
        slow.sql("trial-1", "ALTER TABLE \"Order Desk\".\"lineItem\" ADD CONSTRAINT cheap CHECK (\"unitPrice\" < 9000)");
        slow.sql("desk-1",
                "UPDATE \"Order Desk\".\"lineItem\" SET \"unitPrice\" = 9999.50 WHERE \"articleNo\" = 'A-0007' AND \"listId\" = 2");
        var refused = slow.lockstep("sync");
        assertEquals(1, refused.exit(), refused::toString);
        assertTrue(
                refused.out().contains("trial-1 in Publish with MergeConflict")
                        && refused.out().contains("violates check constraint \"cheap\""),
                refused::toString);
        slow.sql("trial-1", "ALTER TABLE \"Order Desk\".\"lineItem\" DROP CONSTRAINT cheap");
    }

    /** A data set is a few lines of configuration: no function or state machine is added. */
    @Test
    @Order(3)
    void tenDataSetsShareOneSetOfEverything() {
        int functions = functions();
        var more = IntStream.rangeClosed(1, 9).boxed().toList();
        for (String shard : List.of("desk-1", "trial-1")) {
            String owner = CLOUD.value(shard, "SELECT tableowner FROM pg_tables WHERE tablename = 'lineItem'");
            more.forEach(i -> CLOUD.sql(shard, "CREATE TABLE public.more_" + i + " (id int PRIMARY KEY, name text)",
                    "ALTER TABLE public.more_" + i + " OWNER TO " + owner));
        }
        var ten = CLOUD.with(landscape -> landscape.replace("product:\n", "product:\n  directory: " + product() + "\n") + more.stream()
                .map(i -> """

                          more-%1$d:
                            source: desk-1
                            tables:
                              public.more_%1$d: {key: [id], columns: [id, name]}
                        """.formatted(i)).collect(Collectors.joining()));
        var up = ten.lockstep("up");
        assertEquals(0, up.exit(), up::toString);
        assertEquals(functions, functions());
        for (int i : more) {
            ten.sql("desk-1", "INSERT INTO public.more_" + i + " VALUES (1, 'one')");
            var sync = ten.lockstep("sync", "--dataset", "more-" + i, "--output", "json");
            assertEquals(0, sync.exit(), sync::toString);
        }
        ten.sql("desk-1", "UPDATE public.more_7 SET name = 'two'");
        assertEquals(0, ten.lockstep("sync", "--dataset", "more-7").exit());
        assertEquals("two", ten.value("trial-1", "SELECT name FROM public.more_7"));
        var back = ten.lockstep("rollback", "--dataset", "more-7");
        assertEquals(0, back.exit(), back::toString);
        assertEquals("one", ten.value("trial-1", "SELECT name FROM public.more_7"));
        assertEquals("one", ten.value("trial-1", "SELECT name FROM public.more_3"));
        var status = ten.lockstep("status", "--output", "json");
        assertEquals(10, status.json().get("shards").valueStream().filter(s -> s.get("shard").asString().equals("trial-1")).count(),
                status::toString);
    }

    private static int functions() {
        return Stream.of("live", "trial").mapToInt(account -> {
            try (var client = CLOUD.root(account).client(LambdaClient.builder())) {
                return client.listFunctions().functions().size();
            }
        }).sum();
    }

    private static Path product() {
        return Path.of("../examples/orderdesk").toAbsolutePath().normalize();
    }

    private static void assertPage(String row) throws IOException, InterruptedException {
        var page = CLOUD.opened("trial-1");
        var curl = new ProcessBuilder("curl", "-fsS", "--cacert", page.get("authority").asString(), page.get("url").asString())
                .redirectErrorStream(true).start();
        String html = new String(curl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, curl.waitFor(), html);
        for (String part : List.of("demo edition", "Shard trial-1, release 1.0.0", row)) assertTrue(html.contains(part), html);
    }
}
