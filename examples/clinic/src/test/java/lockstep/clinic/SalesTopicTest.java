package lockstep.clinic;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import lockstep.clinic.configuration.Edition;
import lockstep.clinic.demo.Inquiries.Inquiry;
import lockstep.clinic.demo.SalesTopic;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Runs against a server that responds like SNS. */
class SalesTopicTest {
    private static final String TOPIC = "arn:aws:sns:eu-central-1:222222222222:inquiries";
    private static final String PUBLISHED = "<PublishResponse "
            + "xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>1</MessageId></PublishResult>"
            + "</PublishResponse>";

    private final LinkedBlockingQueue<String> requests = new LinkedBlockingQueue<>();
    private final AtomicInteger status = new AtomicInteger(200);
    private HttpServer server;

    @BeforeEach
    void start() throws Exception {
        System.setProperty("aws.accessKeyId", "key");
        System.setProperty("aws.secretAccessKey", "secret");
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            requests.add(URLDecoder.decode(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8),
                    StandardCharsets.UTF_8));
            byte[] answer = (status.get() == 200 ? PUBLISHED
                    : "<ErrorResponse><Error><Code>AuthorizationError</Code></Error></ErrorResponse>").getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status.get(), answer.length);
            try (var body = exchange.getResponseBody()) {
                body.write(answer);
            }
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
        System.clearProperty("aws.accessKeyId");
        System.clearProperty("aws.secretAccessKey");
    }

    @Test
    void inquiryOfAVisitorReachesTheTopicByItself() throws Exception {
        var database = new TestingDatabase().migrated();
        try (var clinic = new TestingClinic(database,
                TestingClinic.configuration(Edition.DEMO, database.application(), Optional.of(TOPIC), Optional.of(endpoint())))) {
            var browser = clinic.browser();
            browser.get("/inquiry");
            browser.post("/inquiry", "name", "Mei", "email", "mei@example.org", "message", "How much is it?", "meeting-on",
                    LocalDate.now().toString(), "meeting-at", "morning").is(200);
            String request = requests.poll(60, TimeUnit.SECONDS);
            assertTrue(request.contains(TOPIC) && request.contains("From: Mei <mei@example.org>") && request.contains("How much is it?")
                    && request.contains("in the morning"), request);
        }
    }

    @Test
    void refusalIsNoException() {
        status.set(403);
        assertFalse(new SalesTopic(TOPIC, "eu-central-1", Optional.of(endpoint()))
                .test(new Inquiry("N", "e@example.org", "m", Optional.empty(), Optional.empty())));
        status.set(200);
        assertTrue(new SalesTopic(TOPIC, "eu-central-1", Optional.of(endpoint()))
                .test(new Inquiry("N", "e@example.org", "m", Optional.empty(), Optional.empty())));
    }

    private URI endpoint() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }
}
