package lockstep.clinic.demo;

import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.logging.Level;
import java.util.logging.Logger;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sns.SnsClient;

/** Notifies sales of an inquiry through an SNS topic. The client is created for the first inquiry, because most processes never need it. */
public final class SalesTopic implements Predicate<Inquiries.Inquiry> {
    private static final Logger LOG = Logger.getLogger(SalesTopic.class.getName());
    private final String topic;
    private final String region;
    private final Optional<URI> endpoint;
    private SnsClient client;

    public SalesTopic(String topic, String region, Optional<URI> endpoint) {
        this.topic = topic;
        this.region = region;
        this.endpoint = endpoint;
    }

    /** Must be called from one thread only. */
    @Override
    public boolean test(Inquiries.Inquiry inquiry) {
        try {
            client().publish(request -> request.topicArn(topic).subject("Inquiry from the demo edition").message(message(inquiry)));
            return true;
        } catch (SdkException e) {
            LOG.log(Level.WARNING, "could not notify sales of an inquiry", e);
            return false;
        }
    }

    private static String message(Inquiries.Inquiry inquiry) {
        String meeting = inquiry.meetingOn()
                .map(day -> "%nWould like to meet on %s%s".formatted(day, inquiry.meetingAt().map(at -> ", in the " + at).orElse("")))
                .orElse("");
        return "From: %s <%s>%s%n%n%s%n".formatted(inquiry.name(), inquiry.email(), meeting, inquiry.message());
    }

    private SnsClient client() {
        if (client == null) {
            var builder = SnsClient.builder().region(Region.of(region)).httpClientBuilder(
                    Apache5HttpClient.builder().connectionTimeout(Duration.ofSeconds(5)).socketTimeout(Duration.ofSeconds(10)));
            endpoint.ifPresent(builder::endpointOverride);
            client = builder.build();
        }
        return client;
    }
}
