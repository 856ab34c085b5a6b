package lockstep.preflight;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * A server that answers as AWS does, in the shapes of AWS's API references. An answer belongs to a part of a request, such as
 * {@code Action=GetRole}, {@code AmazonSSM.GetParameter}, or a part of a JSON body. The answer added last wins.
 */
final class RecordedAws implements AutoCloseable {
    private record Recorded(int status, String body) {}

    private final HttpServer server;
    private final Map<String, Recorded> answers = new LinkedHashMap<>();
    /** The operations that were called, without those of S3. */
    final TreeSet<String> called = new TreeSet<>();

    RecordedAws() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8),
                    target = Stream.ofNullable(exchange.getRequestHeaders().getFirst("X-Amz-Target")).findFirst().orElse(""),
                    request = exchange.getRequestMethod() + " " + exchange.getRequestURI() + "\n" + target + "\n" + body;
            synchronized (called) {
                if (!target.isEmpty()) called.add(target);
                else if (body.contains("Action=")) called.add(body.replaceFirst("^.*Action=([A-Za-z]*).*$", "$1"));
            }
            Recorded answer = answers.entrySet().stream().filter(a -> Stream.of(a.getKey().split(" & ")).allMatch(request::contains))
                    .map(Map.Entry::getValue).reduce((first, last) -> last).orElse(new Recorded(500, "no recorded answer: " + request));
            byte[] bytes = answer.body().getBytes(StandardCharsets.UTF_8);
            boolean head = exchange.getRequestMethod().equals("HEAD");
            exchange.sendResponseHeaders(answer.status(), head || bytes.length == 0 ? -1 : bytes.length);
            if (!head) exchange.getResponseBody().write(bytes);
            exchange.close();
        });
        server.start();
    }

    /** @param request parts of the request, separated by {@code " & "} */
    RecordedAws answer(String request, int status, String body) {
        answers.remove(request);
        answers.put(request, new Recorded(status, body));
        return this;
    }

    String uri() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
