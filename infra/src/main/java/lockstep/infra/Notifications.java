package lockstep.infra;

import java.util.List;
import java.util.Map;
import software.amazon.awscdk.CfnOutput;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.services.cloudwatch.MetricOptions;
import software.amazon.awscdk.services.kms.Key;
import software.amazon.awscdk.services.lambda.eventsources.SqsEventSource;
import software.amazon.awscdk.services.secretsmanager.Secret;
import software.amazon.awscdk.services.sns.Subscription;
import software.amazon.awscdk.services.sns.SubscriptionProtocol;
import software.amazon.awscdk.services.sns.subscriptions.SqsSubscription;
import software.amazon.awscdk.services.sqs.DeadLetterQueue;
import software.amazon.awscdk.services.sqs.Queue;
import software.amazon.awscdk.services.sqs.QueueEncryption;
import software.constructs.Construct;

/** Delivers the operations topic's messages by email and to a chat. A queue retries for some minutes while the chat is unavailable. */
final class Notifications extends Construct {
    private static final int ATTEMPTS = 5;

    Notifications(Construct scope, NetworkStack network, Key key, List<String> email) {
        super(scope, "Notifications");
        for (int i = 0; i < email.size(); i++) {
            Subscription.Builder.create(this, "Email" + (i + 1)).topic(network.operations()).protocol(SubscriptionProtocol.EMAIL)
                    .endpoint(email.get(i)).build();
        }
        var webhook = Secret.Builder.create(this, "Webhook")
                .description("JSON with the chat's url; until it is set, messages are sent only by email").encryptionKey(key).build();
        webhook.applyRemovalPolicy(network.props().protection().data());
        Accepted.finding(webhook, "AwsSolutions-SMG4", "The chat issues the address, and it changes only when the chat issues a new one");
        CfnOutput.Builder.create(Stack.of(this), "WebhookSecret").value(webhook.getSecretName()).build();
        var refused = Queue.Builder.create(this, "Refused")
                .encryption(QueueEncryption.KMS).encryptionMasterKey(key).enforceSsl(true).retentionPeriod(Duration.days(14)).build();
        var queue = Queue.Builder.create(this, "Queue")
                .encryption(QueueEncryption.KMS).encryptionMasterKey(key).enforceSsl(true)
                // six times the function's timeout, as AWS recommends; also the time between two attempts
                .visibilityTimeout(Duration.seconds(6 * Handler.NOTIFY.timeout.toSeconds().intValue()))
                .deadLetterQueue(DeadLetterQueue.builder().queue(refused).maxReceiveCount(ATTEMPTS).build()).build();
        network.operations().addSubscription(new SqsSubscription(queue));
        network.operations().alarmWhen(this, "RefusedAlarm",
                "a notification could not be delivered to the chat in " + ATTEMPTS + " attempts; it was sent by email",
                refused.metricApproximateNumberOfMessagesVisible(
                        MetricOptions.builder().period(Duration.minutes(1)).statistic("Maximum").build()),
                0);

        var notify = new HandlerFunction(this, new HandlerFunction.Props(network, Handler.NOTIFY)
                .with(Map.of("WEBHOOK_SECRET_ARN", webhook.getSecretArn(), "ACCOUNT", network.props().account().name())));
        webhook.grantRead(notify);
        notify.target().addEventSource(SqsEventSource.Builder.create(queue).batchSize(10).reportBatchItemFailures(true).build());
    }
}
