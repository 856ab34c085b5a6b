package lockstep.masterdata.engine;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.Signature;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Executors;
import java.util.zip.CRC32;
import lockstep.masterdata.aws.KmsSignature;
import lockstep.masterdata.aws.S3PartStore;
import lockstep.masterdata.engine.parts.Json;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * The parts of S3 and KMS that the engine uses, over HTTP, for the real clients. Objects are kept in memory. Answers can be made wrong in
 * every possible way.
 */
final class TestingAws implements AutoCloseable {
    enum Answer { WELL, ERROR, THROTTLED, SLOW, MISSING, TRUNCATED, FLIPPED, CUT, REFUSED }

    /** @param key the object's key, or the operation of KMS */
    record Request(String method, String key) {
        boolean isKms() {
            return method.equals("POST");
        }
    }

    interface Watch {
        Answer see(Request request);
    }

    static final String BUCKET = "parts";
    final Map<String, byte[]> objects = new ConcurrentSkipListMap<>();
    private final Map<String, String> sha256 = new ConcurrentSkipListMap<>();
    volatile Watch watch = request -> Answer.WELL;
    private final HttpServer server;
    private final KeyPair keys;

    TestingAws() {
        try {
            keys = KeyPairGenerator.getInstance("EC").generateKeyPair();
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 100);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
        server.setExecutor(Executors.newCachedThreadPool(Thread.ofPlatform().daemon().factory()));
        server.createContext("/", this::answer);
        server.start();
    }

    URI endpoint() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /** Returns a store with the client of the functions. */
    static S3PartStore store(URI endpoint) {
        return new S3PartStore(S3Client.builder().endpointOverride(endpoint).forcePathStyle(true).region(Region.EU_CENTRAL_1)
                .credentialsProvider(credentials()).build(), BUCKET);
    }

    static KmsSignature signature(URI endpoint) {
        return new KmsSignature(
                KmsClient.builder().endpointOverride(endpoint).region(Region.EU_CENTRAL_1).credentialsProvider(credentials()).build(),
                "signing");
    }

    private static StaticCredentialsProvider credentials() {
        return StaticCredentialsProvider.create(AwsBasicCredentials.create("local", "local"));
    }

    private Map<String, byte[]> keptObjects = Map.of();
    private Map<String, String> keptSha256 = Map.of();

    /** Saves the objects, to restore them later. */
    void keep() {
        keptObjects = Map.copyOf(objects);
        keptSha256 = Map.copyOf(sha256);
    }

    void backToKept() {
        objects.clear();
        objects.putAll(keptObjects);
        sha256.clear();
        sha256.putAll(keptSha256);
    }

    /** Overwrites an object, like someone with write access to the bucket. */
    void overwrite(String key, byte[] object) {
        objects.put(key, object);
        sha256.remove(key);
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            String method = exchange.getRequestMethod();
            String key = method.equals("POST") ? exchange.getRequestHeaders().getFirst("X-Amz-Target").replace("TrentService.", "")
                    : exchange.getRequestURI().getPath().substring(BUCKET.length() + 2);
            var request = new Request(method, key);
            Answer answer = watch.see(request);
            switch (answer) {
                case CUT -> {}
                case ERROR -> refuse(exchange, request, 500, "InternalError");
                case THROTTLED ->
                        refuse(exchange, request, request.isKms() ? 400 : 503, request.isKms() ? "ThrottlingException" : "SlowDown");
                case REFUSED ->
                        refuse(exchange, request, request.isKms() ? 400 : 403, request.isKms() ? "AccessDeniedException" : "AccessDenied");
                case MISSING -> refuse(exchange, request, 404, "NoSuchKey");
                case SLOW, WELL, TRUNCATED, FLIPPED -> {
                    if (answer == Answer.SLOW) TestingCluster.pause(700);
                    if (request.isKms()) kms(exchange, key, body);
                    else if (method.equals("PUT")) put(exchange, key, body);
                    else get(exchange, request, answer);
                }
            }
        }
    }

    private static void refuse(HttpExchange exchange, Request request, int status, String code) throws IOException {
        byte[] told = (request.isKms() ? "{\"__type\": \"" + code + "\", \"message\": \"told by the test\"}"
                : "<Error><Code>" + code + "</Code><Message>told by the test</Message></Error>").getBytes(StandardCharsets.UTF_8);
        boolean body = !request.method().equals("HEAD");
        exchange.sendResponseHeaders(status, body ? told.length : -1);
        if (body) exchange.getResponseBody().write(told);
    }

    private void put(HttpExchange exchange, String key, byte[] sent) throws IOException {
        var headers = exchange.getRequestHeaders();
        byte[] object = String.valueOf(headers.getFirst("Content-Encoding")).contains("aws-chunked") ? unchunked(sent) : sent;
        objects.put(key, object);
        sha256.remove(key);
        if ("SHA256".equals(headers.getFirst("x-amz-sdk-checksum-algorithm"))) sha256.put(key, sha256(object));
        exchange.getResponseHeaders().set("ETag", "\"" + key.hashCode() + "\"");
        exchange.sendResponseHeaders(200, -1);
    }

    /** Decodes chunks of {@code length;signature CRLF bytes CRLF}, up to a length of 0. */
    private static byte[] unchunked(byte[] sent) {
        var object = new ByteArrayOutputStream();
        for (int at = 0;;) {
            int end = at;
            while (sent[end] != '\r') end++;
            int length = Integer.parseInt(new String(sent, at, end - at, StandardCharsets.US_ASCII).split(";")[0], 16);
            if (length == 0) return object.toByteArray();
            object.write(sent, end + 2, length);
            at = end + 2 + length + 2;
        }
    }

    private void get(HttpExchange exchange, Request request, Answer answer) throws IOException {
        byte[] object = objects.get(request.key());
        if (object == null) {
            refuse(exchange, request, 404, "NoSuchKey");
            return;
        }
        var headers = exchange.getResponseHeaders();
        if (exchange.getRequestHeaders().containsKey("x-amz-checksum-mode")) {
            // S3 stores the checksum of the upload
            if (sha256.containsKey(request.key())) headers.set("x-amz-checksum-sha256", sha256.get(request.key()));
            else headers.set("x-amz-checksum-crc32", crc32(object));
        }
        if (request.method().equals("HEAD")) {
            headers.set("Content-Length", Integer.toString(object.length));
            exchange.sendResponseHeaders(200, -1);
            return;
        }
        exchange.sendResponseHeaders(200, object.length == 0 ? -1 : object.length);
        byte[] sent = answer == Answer.TRUNCATED ? Arrays.copyOf(object, object.length / 2) : object.clone();
        if (answer == Answer.FLIPPED && sent.length > 0) sent[sent.length / 2] ^= 4;
        exchange.getResponseBody().write(sent);
    }

    private static String sha256(byte[] bytes) {
        try {
            return Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String crc32(byte[] bytes) {
        var sum = new CRC32();
        sum.update(bytes);
        return Base64.getEncoder().encodeToString(ByteBuffer.allocate(4).putInt((int) sum.getValue()).array());
    }

    private void kms(HttpExchange exchange, String operation, byte[] body) throws IOException {
        try {
            var asked = Json.MAPPER.readTree(body);
            byte[] digest = Base64.getDecoder().decode(asked.get("Message").asString());
            var signature = Signature.getInstance("NONEwithECDSA");
            if (operation.equals("Sign")) {
                signature.initSign(keys.getPrivate());
                signature.update(digest);
                told(exchange, Map.of("Signature", Base64.getEncoder().encodeToString(signature.sign())));
                return;
            }
            signature.initVerify(keys.getPublic());
            signature.update(digest);
            if (signature.verify(Base64.getDecoder().decode(asked.get("Signature").asString())))
                told(exchange, Map.of("SignatureValid", true));
            else refuse(exchange, new Request("POST", operation), 400, "KMSInvalidSignatureException");
        } catch (GeneralSecurityException e) {
            refuse(exchange, new Request("POST", operation), 400, "KMSInvalidSignatureException");
        }
    }

    private static void told(HttpExchange exchange, Map<String, Object> answer) throws IOException {
        byte[] bytes = Json.MAPPER.writeValueAsBytes(answer);
        exchange.getResponseHeaders().set("Content-Type", "application/x-amz-json-1.1");
        exchange.sendResponseHeaders(200, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
