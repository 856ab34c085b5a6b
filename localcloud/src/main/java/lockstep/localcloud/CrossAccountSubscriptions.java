package lockstep.localcloud;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import lockstep.accounts.AccountAccess;
import lockstep.assembly.Assembly.Stack;
import lockstep.assembly.Evaluator;
import lockstep.project.UserFault;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;
import tools.jackson.databind.JsonNode;

/**
 * Creates the subscriptions of a template to topics of other accounts, because the emulator ignores them in CloudFormation. It uses the API
 * as the subscriber. Subscribing is idempotent.
 */
final class CrossAccountSubscriptions {
    private static final List<String> ATTRIBUTES = List.of("RawMessageDelivery", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy");
    private final AccountAccess subscriber;

    CrossAccountSubscriptions(AccountAccess subscriber) {
        this.subscriber = subscriber;
    }

    void ensure(Stack stack) {
        for (JsonNode resource : stack.resources("AWS::SNS::Subscription").values()) {
            var subscription = new Evaluator(List.of(stack)).resolve(stack, resource.get("Properties"));
            String topic = subscription.get("TopicArn").asString();
            // a reference, which is always within the account, does not result in an ARN
            if (!topic.startsWith("arn:") || topic.split(":")[4].equals(subscriber.accountId())) {
                continue;
            }
            var attributes = new HashMap<String, String>();
            ATTRIBUTES.forEach(name -> {
                if (subscription.has(name)) {
                    JsonNode value = subscription.get(name);
                    attributes.put(name, value.isValueNode() ? value.asString() : value.toString());
                }
            });
            String queue = subscription.get("Endpoint").asString().replace(".Arn", "");
            try (var sns = subscriber.client(SnsClient.builder())) {
                sns.subscribe(
                        r -> r.topicArn(topic).protocol(subscription.get("Protocol").asString()).endpoint(queueArn(stack.name(), queue))
                                .attributes(attributes).returnSubscriptionArn(true));
            }
        }
    }

    /** A queue with a generated name starts with its stack and its logical id. */
    private String queueArn(String stack, String logicalId) {
        try (var sqs = subscriber.client(SqsClient.builder())) {
            var urls = sqs.listQueues(r -> r.queueNamePrefix(stack + "-" + logicalId + "-")).queueUrls();
            if (urls.size() != 1) {
                throw new UserFault("expected one queue " + stack + "-" + logicalId + "-…, found " + urls);
            }
            return sqs.getQueueAttributes(r -> r.queueUrl(urls.getFirst()).attributeNames(QueueAttributeName.QUEUE_ARN))
                    .attributes().get(QueueAttributeName.QUEUE_ARN);
        }
    }
}
