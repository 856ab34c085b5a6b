package lockstep.delivery;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.events.SQSBatchResponse;
import com.amazonaws.services.lambda.runtime.events.SQSBatchResponse.BatchItemFailure;
import com.amazonaws.services.lambda.runtime.events.SQSEvent;
import com.amazonaws.services.lambda.runtime.events.SQSEvent.SQSMessage;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.engine.parts.Json;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * Forwards messages of the operations topic to a chat. Only messages that the chat rejects are returned to the queue, which moves them to
 * its dead-letter queue after some retries. The webhook's address is never logged, because whoever knows it can post to the chat.
 */
public final class Notify implements RequestHandler<SQSEvent, SQSBatchResponse> {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1");

    private final Supplier<Optional<URI>> webhook;
    private final String account;
    /** Follows no redirects, so that a message is sent only to the configured address. */
    private final HttpClient http = HttpClient.newBuilder().connectTimeout(TIMEOUT).followRedirects(HttpClient.Redirect.NEVER).build();

    public Notify() {
        var secrets = SecretsManagerClient.builder().httpClient(Clients.Http.CLIENT).build();
        String arn = System.getenv("WEBHOOK_SECRET_ARN");
        this(() -> address(secrets.getSecretValue(r -> r.secretId(arn)).secretString()), System.getenv("ACCOUNT"));
    }

    /** @param webhook read once per batch, so that a new address takes effect at once; empty until someone has stored one */
    Notify(Supplier<Optional<URI>> webhook, String account) {
        this.webhook = webhook;
        this.account = account;
    }

    /**
     * Reads the address from the secret's JSON. Returns empty for the generated password that the secret holds at first.
     *
     * @throws IllegalArgumentException when the address is not a URI, or does not use HTTPS
     */
    static Optional<URI> address(String secret) {
        JsonNode url;
        try {
            url = Json.MAPPER.readTree(secret).path("url");
        } catch (JacksonException e) {
            return Optional.empty();
        }
        if (!url.isString()) return Optional.empty();
        URI address;
        try {
            address = URI.create(url.asString());
        } catch (IllegalArgumentException e) {
            // the exception's own message would contain the address
            throw new IllegalArgumentException("the url in the webhook's secret is not valid; expected {\"url\": \"https://…\"}");
        }
        if (!"https".equals(address.getScheme()) && !("http".equals(address.getScheme()) && LOOPBACK.contains(address.getHost()))) {
            throw new IllegalArgumentException("the url in the webhook's secret does not begin with https://");
        }
        return Optional.of(address);
    }

    @Override
    public SQSBatchResponse handleRequest(SQSEvent event, Context context) {
        var failures = new ArrayList<BatchItemFailure>();
        Optional<URI> address;
        try {
            address = webhook.get();
        } catch (SdkException | IllegalArgumentException e) {
            context.getLogger().log("the webhook's url can't be read: " + e.getMessage() + "\n");
            event.getRecords().forEach(message -> failures.add(new BatchItemFailure(message.getMessageId())));
            return new SQSBatchResponse(failures);
        }
        for (SQSMessage message : event.getRecords()) {
            if (address.isEmpty()) {
                context.getLogger().log("message " + message.getMessageId() + " was sent by mail only: there is no url in "
                        + System.getenv("WEBHOOK_SECRET_ARN") + "\n");
            } else {
                refusal(address.get(), message).ifPresent(why -> {
                    context.getLogger().log("message " + message.getMessageId() + " was not posted to the chat: " + why + "\n");
                    failures.add(new BatchItemFailure(message.getMessageId()));
                });
            }
        }
        return new SQSBatchResponse(failures);
    }

    /** Posts the message. Returns why the chat rejected it, or empty when it was accepted. */
    private Optional<String> refusal(URI address, SQSMessage message) {
        try {
            var request = HttpRequest.newBuilder(address).timeout(TIMEOUT).header("Content-Type", "application/json")
                    .POST(BodyPublishers.ofString(Announcement.of(account, message.getBody()).json())).build();
            int status = http.send(request, BodyHandlers.discarding()).statusCode();
            return status / 100 == 2 ? Optional.empty() : Optional.of("HTTP status " + status);
        } catch (JacksonException e) {
            return Optional.of("it is not an SNS message");
        } catch (IOException e) {
            return Optional.of(e.getClass().getSimpleName());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.of("interrupted");
        }
    }
}
