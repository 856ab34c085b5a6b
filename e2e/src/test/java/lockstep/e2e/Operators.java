package lockstep.e2e;

import static lockstep.e2e.SharedCloud.CLOUD;

import java.util.List;
import java.util.Map;
import lockstep.landscape.Names;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;

/** A subscription to an account's operations topic that stands for the mailbox of an operator. */
record Operators(SqsClient sqs, SnsClient sns, String queue, String subscription, StringBuilder heard) implements AutoCloseable {
    /** @param name the name of the mailbox */
    static Operators of(String account, String name) {
        var sqs = CLOUD.root(account).client(SqsClient.builder());
        var sns = CLOUD.root(account).client(SnsClient.builder());
        String queue = sqs.createQueue(r -> r.queueName(name)).queueUrl();
        String arn = sqs.getQueueAttributes(r -> r.queueUrl(queue).attributeNames(QueueAttributeName.QUEUE_ARN)).attributes()
                .get(QueueAttributeName.QUEUE_ARN);
        sqs.setQueueAttributes(r -> r.queueUrl(queue)
                .attributes(Map.of(QueueAttributeName.POLICY,
                        """
                {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},\
                "Action":"sqs:SendMessage","Resource":"%s"}]}"""
                                .formatted(arn))));
        String subscription = sns.subscribe(r -> r.topicArn(topic(account)).protocol("sqs").endpoint(arn)).subscriptionArn();
        return new Operators(sqs, sns, queue, subscription, new StringBuilder());
    }

    static String topic(String account) {
        return Names.topicArn("eu-central-1", CLOUD.account(account).id(), Names.operationsTopic());
    }

    /** Returns all messages so far, one per line. */
    String messages() {
        while (true) {
            var messages = sqs.receiveMessage(r -> r.queueUrl(queue).maxNumberOfMessages(10)).messages();
            if (messages.isEmpty()) return heard.toString();
            messages.forEach(message -> {
                heard.append(message.body().replace("\\\"", "\"")).append('\n');
                sqs.deleteMessage(r -> r.queueUrl(queue).receiptHandle(message.receiptHandle()));
            });
        }
    }

    boolean received(String... words) {
        return messages().lines().anyMatch(line -> List.of(words).stream().allMatch(line::contains));
    }

    @Override
    public void close() {
        sns.unsubscribe(r -> r.subscriptionArn(subscription));
        sqs.deleteQueue(r -> r.queueUrl(queue));
        sns.close();
        sqs.close();
    }
}
