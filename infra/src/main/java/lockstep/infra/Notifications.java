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

/** What the operations topic says goes to people: by mail, and to a chat. By way of a queue, which asks again for minutes while the chat does not answer. */
final class Notifications extends Construct {
    private static final int TRIES = 5;

    Notifications(Construct scope, NetworkStack network, Key key, List<String> email) {
        super(scope, "Notifications");
        for (int i = 0; i < email.size(); i++) {
            Subscription.Builder.create(this, "Email" + (i + 1)).topic(network.operations()).protocol(SubscriptionProtocol.EMAIL).endpoint(email.get(i)).build();
        }
        var webhook = Secret.Builder.create(this, "Webhook")
                .description("The chat's address as JSON with url; until somebody puts one, messages go by mail alone").encryptionKey(key).build();
        webhook.applyRemovalPolicy(network.props().protection().data());
        Accepted.finding(webhook, "AwsSolutions-SMG4", "The chat gives the address; a new one is put when the chat gives a new one");
        CfnOutput.Builder.create(Stack.of(this), "WebhookSecret").value(webhook.getSecretName()).build();
        var refused = Queue.Builder.create(this, "Refused")
                .encryption(QueueEncryption.KMS).encryptionMasterKey(key).enforceSsl(true).retentionPeriod(Duration.days(14)).build();
        var queue = Queue.Builder.create(this, "Queue")
                .encryption(QueueEncryption.KMS).encryptionMasterKey(key).enforceSsl(true)
                // six times the function's timeout, as AWS advises: it is how long a message waits for its next try
                .visibilityTimeout(Duration.seconds(6 * Handler.NOTIFY.timeout.toSeconds().intValue()))
                .deadLetterQueue(DeadLetterQueue.builder().queue(refused).maxReceiveCount(TRIES).build()).build();
        network.operations().addSubscription(new SqsSubscription(queue));
        network.operations().tellWhen(this, "RefusedAlarm", "a notification could not be brought to the chat in " + TRIES + " tries; mail has it",
                refused.metricApproximateNumberOfMessagesVisible(MetricOptions.builder().period(Duration.minutes(1)).statistic("Maximum").build()), 0);

        var notify = new HandlerFunction(this, new HandlerFunction.Props(network, Handler.NOTIFY)
                .with(Map.of("WEBHOOK_SECRET_ARN", webhook.getSecretArn(), "ACCOUNT", network.props().account().name())));
        webhook.grantRead(notify);
        notify.target().addEventSource(SqsEventSource.Builder.create(queue).batchSize(10).reportBatchItemFailures(true).build());
    }
}
