package lockstep.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.amazonaws.services.lambda.runtime.ClientContext;
import com.amazonaws.services.lambda.runtime.CognitoIdentity;
import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.LambdaLogger;
import com.amazonaws.services.lambda.runtime.events.SQSBatchResponse;
import com.amazonaws.services.lambda.runtime.events.SQSEvent;
import com.amazonaws.services.lambda.runtime.events.SQSEvent.SQSMessage;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import lockstep.masterdata.engine.parts.Json;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Tests the function against a server that accepts, rejects and redirects. */
class NotifyTest {
    private static final String PATH = "/hooks/s3cr3t";
    private final List<String> received = new ArrayList<>();
    private final Queue<Integer> answers = new ArrayDeque<>();
    private final TestingContext context = new TestingContext();
    private HttpServer chat;

    @BeforeEach
    void listen() throws IOException {
        chat = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        chat.createContext("/", exchange -> {
            received.add(exchange.getRequestURI() + " " + new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            if (answers.peek() != null && answers.peek() == 302) exchange.getResponseHeaders().set("Location", "/elsewhere");
            exchange.sendResponseHeaders(Optional.ofNullable(answers.poll()).orElse(200), -1);
            exchange.close();
        });
        chat.start();
    }

    @AfterEach
    void stop() {
        chat.stop(0);
    }

    private URI address() {
        return URI.create("http://127.0.0.1:" + chat.getAddress().getPort() + PATH);
    }

    private List<String> refused(Notify notify, String... envelopes) {
        var event = new SQSEvent();
        var messages = new ArrayList<SQSMessage>();
        for (String envelope : envelopes) {
            var message = new SQSMessage();
            message.setMessageId(String.valueOf(messages.size()));
            message.setBody(envelope);
            messages.add(message);
        }
        event.setRecords(messages);
        return notify.handleRequest(event, context).getBatchItemFailures().stream()
                .map(SQSBatchResponse.BatchItemFailure::getItemIdentifier).toList();
    }

    private static String envelope(String subject, String message) {
        var envelope = Json.MAPPER.createObjectNode().put("Type", "Notification").put("Message", message);
        if (subject != null) envelope.put("Subject", subject);
        return Json.MAPPER.writeValueAsString(envelope);
    }

    @Test
    void whatIsToldReachesTheChat() {
        assertEquals(List.of(), refused(new Notify(() -> Optional.of(address()), "demo"),
                envelope("Release 1.4.0 deployed", "by anna in 93 s"),
                envelope(null,
                        "{\"AlarmName\":\"x\",\"AlarmDescription\":\"demo-1 is "
                                + "behind\",\"NewStateValue\":\"ALARM\",\"NewStateReason\":\"1 > 0\"}"),
                envelope(null, "{\"syncId\":\"one\",\"cause\":\"a <b> & c\"}")));
        assertEquals(List.of(PATH + " {\"text\":\"[demo] Release 1.4.0 deployed\\nby anna in 93 s\"}",
                PATH + " {\"text\":\"[demo] ALARM: demo-1 is behind\\n1 > 0\"}".replace("1 > 0", "1 &gt; 0"),
                PATH + " {\"text\":\"[demo] syncId: one\\ncause: a &lt;b&gt; &amp; c\"}"), received);
    }

    @Test
    void onlyWhatWasRefusedIsTriedAgain() {
        answers.addAll(List.of(200, 503, 429, 404, 200));
        var envelope = envelope("x", "y");
        assertEquals(List.of("1", "2", "3"),
                refused(new Notify(() -> Optional.of(address()), "demo"), envelope, envelope, envelope, envelope, envelope));
        assertTrue(context.log.toString().contains("message 1 was not posted to the chat: HTTP status 503"), context.log::toString);
    }

    @Test
    void whatIsNoMessageOfATopicIsGivenBackAlone() {
        assertEquals(List.of("0", "1"), refused(new Notify(() -> Optional.of(address()), "demo"), "nonsense", "{}", envelope("x", "y")));
        assertEquals(1, received.size());
    }

    /** Anyone with the address can post to the chat. */
    @Test
    void theAddressIsToldToNobody() {
        answers.add(302);
        assertEquals(List.of("0"), refused(new Notify(() -> Optional.of(address()), "demo"), envelope("x", "y")));
        assertEquals(1, received.size(), "no redirection is followed");
        chat.stop(0);
        assertEquals(List.of("0"), refused(new Notify(() -> Optional.of(address()), "demo"), envelope("x", "y")));
        assertFalse(context.log.toString().contains("s3cr3t"), context.log::toString);
        assertFalse(assertThrows(IllegalArgumentException.class, () -> Notify.address("{\"url\":\"https://chat/s3cr3t bad\"}")).getMessage()
                .contains("s3cr3t"));
    }

    @Test
    void withoutAnAddressMailHasIt() {
        assertEquals(List.of(), refused(new Notify(Optional::empty, "demo"), envelope("x", "y")));
        assertTrue(context.log.toString().contains("by mail only"), context.log::toString);
    }

    @Test
    void anAddressThatCantBeHadLosesNothing() {
        assertEquals(List.of("0", "1"), refused(new Notify(() -> { throw new IllegalArgumentException("plain"); }, "demo"),
                envelope("x", "y"), envelope("x", "y")));
    }

    @Test
    void addresses() {
        assertEquals(Optional.of(URI.create("https://chat.example/x")), Notify.address("{\"url\":\"https://chat.example/x\"}"));
        for (String none : List.of("g3n3rat3d", "{}", "{\"url\":1}", "")) assertEquals(Optional.empty(), Notify.address(none), none);
        for (String plain : List.of("http://chat.example/x", "ftp://chat.example/x", "chat.example")) {
            assertThrows(IllegalArgumentException.class, () -> Notify.address(Json.MAPPER.writeValueAsString(Map.of("url", plain))), plain);
        }
    }

    @Test
    void aFailureIsAnnouncedWithoutClassesAndStackTraces() {
        String cause = "{\"errorMessage\":\"the holder is "
                + "gone\",\"errorType\":\"lockstep.masterdata.engine.Fault$SnapshotGone\",\"stackTrace\":[\"at x\"]}";
        String message = Json.MAPPER.writeValueAsString(
                new java.util.TreeMap<>(Map.of("syncId", "one", "error", "lockstep.masterdata.engine.Fault$SnapshotGone", "cause", cause)));
        assertEquals("[demo] cause: the holder is gone\nerror: SnapshotGone\nsyncId: one",
                Announcement.of("demo", envelope(null, message)).text());
    }

    @Test
    void aLongMessageIsCut() {
        assertTrue(Announcement.of("demo", envelope(null, "x".repeat(100_000))).text().length() < 3100);
    }

    private static final class TestingContext implements Context {
        final StringBuilder log = new StringBuilder();

        @Override
        public LambdaLogger getLogger() {
            return new LambdaLogger() {
                @Override
                public void log(String message) {
                    log.append(message);
                }

                @Override
                public void log(byte[] message) {
                    log.append(new String(message, StandardCharsets.UTF_8));
                }
            };
        }

        @Override
        public String getAwsRequestId() {
            return "request";
        }

        @Override
        public String getLogGroupName() {
            return "";
        }

        @Override
        public String getLogStreamName() {
            return "";
        }

        @Override
        public String getFunctionName() {
            return "Notify";
        }

        @Override
        public String getFunctionVersion() {
            return "1";
        }

        @Override
        public String getInvokedFunctionArn() {
            return "";
        }

        @Override
        public CognitoIdentity getIdentity() {
            return null;
        }

        @Override
        public ClientContext getClientContext() {
            return null;
        }

        @Override
        public int getRemainingTimeInMillis() {
            return 1000;
        }

        @Override
        public int getMemoryLimitInMB() {
            return 512;
        }
    }
}
