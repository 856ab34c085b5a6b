package lockstep.infra;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import lockstep.landscape.Account;
import lockstep.landscape.DataSet;
import lockstep.landscape.DatabaseUser;
import lockstep.landscape.Names;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.services.cloudwatch.MetricOptions;
import software.amazon.awscdk.services.iam.AccountRootPrincipal;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.amazon.awscdk.services.iam.Role;
import software.amazon.awscdk.services.kms.Key;
import software.amazon.awscdk.services.lambda.eventsources.SqsEventSource;
import software.amazon.awscdk.services.sns.Topic;
import software.amazon.awscdk.services.sns.subscriptions.SqsSubscription;
import software.amazon.awscdk.services.sqs.DeadLetterQueue;
import software.amazon.awscdk.services.sqs.Queue;
import software.amazon.awscdk.services.sqs.QueueEncryption;
import software.constructs.Construct;

/** One data set where it arrives: the inbox that hears of manifests, and the restore into the shards of this account. */
final class MasterDataTarget extends Construct {
    private final DataSet dataSet;
    private final NetworkStack network;

    /** @param shards the shards of this account that receive the data set */
    MasterDataTarget(Construct scope, NetworkStack network, DataSet dataSet, Account source, List<ShardStack> shards) {
        super(scope, dataSet.name());
        this.dataSet = dataSet;
        this.network = network;
        var topicArn = Names.topicArn(network.props().landscape().region(), source.id(), Names.topic(dataSet.name()));
        var restore = restore(source, shards);
        startRestore(restore, inbox(topicArn));
        observerRole(restore, shards);
        restoreStartRole(restore, shards);
    }

    private Queue inbox(String topicArn) {
        var key = Key.Builder.create(this, "Key")
                .description("Inbox of " + dataSet.name()).enableKeyRotation(true).removalPolicy(network.props().protection().data()).build();
        var refused = Queue.Builder.create(this, "Refused")
                .encryption(QueueEncryption.KMS).encryptionMasterKey(key).enforceSsl(true).retentionPeriod(Duration.days(14)).build();
        var inbox = Queue.Builder.create(this, "Inbox")
                .encryption(QueueEncryption.KMS).encryptionMasterKey(key).enforceSsl(true)
                // twice the function's timeout: long enough for it to answer, short enough that what it refuses is soon told
                .visibilityTimeout(Duration.seconds(2 * Handler.START_RESTORE.timeout.toSeconds().intValue()))
                .deadLetterQueue(DeadLetterQueue.builder().queue(refused).maxReceiveCount(3).build()).build();
        Topic.fromTopicArn(this, "Topic", topicArn).addSubscription(SqsSubscription.Builder.create(inbox).rawMessageDelivery(true).build());
        var minute = MetricOptions.builder().period(Duration.minutes(1)).statistic("Maximum").build();
        network.operations().tellWhen(this, "RefusedAlarm", dataSet.name() + ": a notification could not be handled", refused.metricApproximateNumberOfMessagesVisible(minute), 0);
        network.operations().tellWhen(this, "InboxAgeAlarm", dataSet.name() + ": a notification waits for more than five minutes", inbox.metricApproximateAgeOfOldestMessage(minute), 300);
        return inbox;
    }

    private Workflow restore(Account source, List<ShardStack> shards) {
        var worker = HandlerFunction.executionRole(this, "Worker", Names.workerRole(dataSet.name()), true);
        var readerRole = Names.roleArn(source.id(), Names.readerRole(dataSet.name()));
        worker.addToPolicy(PolicyStatement.Builder.create().actions(List.of("sts:AssumeRole")).resources(List.of(readerRole)).build());
        var preflight = new HandlerFunction(this, new HandlerFunction.Props(network, Handler.PREFLIGHT).as(worker));
        var stageParts = new HandlerFunction(this, new HandlerFunction.Props(network, Handler.STAGE_PARTS).as(worker));
        var publish = new HandlerFunction(this, new HandlerFunction.Props(network, Handler.PUBLISH));
        var record = new HandlerFunction(this, new HandlerFunction.Props(network, Handler.RECORD));
        for (var shard : shards) {
            shard.grantSecret(DatabaseUser.WRITER, worker);
            shard.grantSecret(DatabaseUser.WRITER, publish);
            shard.grantSecret(DatabaseUser.WRITER, record);
        }
        var region = network.props().landscape().region();
        var sync = new TreeMap<String, Object>(Map.of(
                "account", network.props().account().name(),
                "sourceBucket", Names.bucket(dataSet.name(), source.id(), region),
                "dataSet", Workflow.constant(dataSet),
                "readerRoleArn", readerRole,
                "externalId", Names.externalId(dataSet.name()),
                "signingKeyArn", Names.keyAliasArn(region, source.id(), Names.signingKeyAlias(dataSet.name()))));
        var constants = shards.stream()
                .map(shard -> Workflow.<String>sorted(Map.of("name", shard.shard().name(), "secretArn", shard.secretOf(DatabaseUser.WRITER).getSecretArn()))).toList();
        return new Workflow(this, "Restore", Names.restoreMachine(dataSet.name()), Duration.hours(4), network,
                new RestoreDefinition(network, sync, constants, preflight, stageParts, publish, record).build(new Construct(this, "RestoreStates")));
    }

    private void startRestore(Workflow restore, Queue inbox) {
        var starter = new HandlerFunction(this, new HandlerFunction.Props(network, Handler.START_RESTORE)
                .with(Map.of("RESTORE_STATE_MACHINE_ARN", restore.getStateMachineArn())));
        starter.addEventSource(SqsEventSource.Builder.create(inbox).batchSize(10).reportBatchItemFailures(true).build());
        restore.grantStartExecution(starter);
    }

    /** Whoever may roll back or try: starts restores of this account, of manifests that the source signed, and follows them. Nothing else starts one by hand. */
    private void restoreStartRole(Workflow restore, List<ShardStack> shards) {
        var role = Role.Builder.create(this, "RestoreStart")
                .roleName(Names.restoreStartRole(dataSet.name())).assumedBy(new AccountRootPrincipal()).build();
        restore.grantStartExecution(role);
        mayFollow(role, restore, shards);
    }

    private void observerRole(Workflow restore, List<ShardStack> shards) {
        var role = Role.Builder.create(this, "Observer")
                .roleName(Names.observerRole(dataSet.name())).assumedBy(new AccountRootPrincipal()).build();
        mayFollow(role, restore, shards);
    }

    private static void mayFollow(Role role, Workflow restore, List<ShardStack> shards) {
        restore.grantFollow(role);
        for (var shard : shards) {
            shard.reportStatus().grantInvoke(role);
        }
        Accepted.finding(role, "AwsSolutions-IAM5", "Follows whatever restore was started, and asks each shard",
                "/^Resource::.*:(execution|mapRun):lockstep-.*\\*$/", "/^Resource::.*ReportStatus.*:\\*$/");
    }
}
