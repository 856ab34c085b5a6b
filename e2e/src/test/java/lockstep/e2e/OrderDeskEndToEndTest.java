package lockstep.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Brings up the second sample product with its own landscape: another language, port, health path, region, account names, and quoted
 * tables. It runs first, before the shared cloud needs the memory.
 */
@Order(1)
@Tag("nightly")
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

    private static void assertPage(String row) throws IOException, InterruptedException {
        var page = CLOUD.opened("trial-1");
        var curl = new ProcessBuilder("curl", "-fsS", "--cacert", page.get("authority").asString(), page.get("url").asString())
                .redirectErrorStream(true).start();
        String html = new String(curl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, curl.waitFor(), html);
        for (String part : List.of("demo edition", "Shard trial-1, release 1.0.0", row)) assertTrue(html.contains(part), html);
    }
}
