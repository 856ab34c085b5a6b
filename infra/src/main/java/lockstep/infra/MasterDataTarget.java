package lockstep.infra;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import lockstep.landscape.Account;
import lockstep.landscape.DataSet;
import lockstep.landscape.DatabaseUser;
import lockstep.landscape.Names;
import lockstep.landscape.ShardMetric;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.services.cloudwatch.Dashboard;
import software.amazon.awscdk.services.cloudwatch.GraphWidget;
import software.amazon.awscdk.services.cloudwatch.IMetric;
import software.amazon.awscdk.services.cloudwatch.MetricOptions;
import software.amazon.awscdk.services.events.Rule;
import software.amazon.awscdk.services.events.Schedule;
import software.amazon.awscdk.services.events.targets.SfnStateMachine;
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

/** One data set in a target account: the inbox for published manifests, the restore into the account's shards, and the watch over them. */
final class MasterDataTarget extends Construct {
    private static final int LINES = 100;

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
        watch(source, restore, shards);
        dashboard(shards);
    }

    private Queue inbox(String topicArn) {
        var key = Key.Builder.create(this, "Key")
                .description("Inbox of " + dataSet.name()).enableKeyRotation(true).removalPolicy(network.props().protection().data())
                .build();
        var refused = Queue.Builder.create(this, "Refused")
                .encryption(QueueEncryption.KMS).encryptionMasterKey(key).enforceSsl(true).retentionPeriod(Duration.days(14)).build();
        var inbox = Queue.Builder.create(this, "Inbox")
                .encryption(QueueEncryption.KMS).encryptionMasterKey(key).enforceSsl(true)
                // twice the function's timeout: long enough for the function to finish, short enough to report a failing message soon
                .visibilityTimeout(Duration.seconds(2 * Handler.START_RESTORE.timeout.toSeconds().intValue()))
                .deadLetterQueue(DeadLetterQueue.builder().queue(refused).maxReceiveCount(3).build()).build();
        Topic.fromTopicArn(this, "Topic", topicArn).addSubscription(SqsSubscription.Builder.create(inbox).rawMessageDelivery(true).build());
        var minute = MetricOptions.builder().period(Duration.minutes(1)).statistic("Maximum").build();
        network.operations().alarmWhen(this, "RefusedAlarm", dataSet.name() + ": a notification could not be handled",
                refused.metricApproximateNumberOfMessagesVisible(minute), 0);
        network.operations().alarmWhen(this, "InboxAgeAlarm",
                dataSet.name() + ": a notification has been waiting for more than five minutes",
                inbox.metricApproximateAgeOfOldestMessage(minute), 300);
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
                .map(shard -> Workflow.<String>sorted(
                        Map.of("name", shard.shard().name(), "secretArn", shard.secretOf(DatabaseUser.WRITER).getSecretArn())))
                .toList();
        return new Workflow(this, "Restore", Names.restoreMachine(dataSet.name()), Duration.hours(4), network,
                new RestoreDefinition(network, sync, constants, preflight, stageParts, publish, record)
                        .build(new Construct(this, "RestoreStates")));
    }

    private void startRestore(Workflow restore, Queue inbox) {
        var starter = new HandlerFunction(this, new HandlerFunction.Props(network, Handler.START_RESTORE)
                .with(Map.of("RESTORE_STATE_MACHINE_ARN", restore.getStateMachineArn())));
        starter.target().addEventSource(SqsEventSource.Builder.create(inbox).batchSize(10).reportBatchItemFailures(true).build());
        restore.grantStartExecution(starter);
    }

    /** Runs as a state machine of one state, because the function's input is too large for a schedule's event. */
    private void watch(Account source, Workflow restore, List<ShardStack> shards) {
        var role = HandlerFunction.executionRole(this, "WatchRole", Names.watchRole(dataSet.name()), false);
        var readerRole = Names.roleArn(source.id(), Names.readerRole(dataSet.name()));
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of("sts:AssumeRole")).resources(List.of(readerRole)).build());
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of("cloudwatch:PutMetricData")).resources(List.of("*"))
                // AWS always sets this key; an emulator may not
                .conditions(Map.of("StringLikeIfExists", Map.of("cloudwatch:namespace", Names.metrics(dataSet.name(), "*")))).build());
        restore.grantStartExecution(role);
        restore.grant(role, "states:ListExecutions");
        network.operations().grantPublish(role);
        // for any shard: a policy has no room for a thousand names, and the functions only read
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of("lambda:InvokeFunction"))
                .resources(List.of(
                        Names.functionArn(network.props().landscape().region(), network.props().account().id(), Names.reportStatus("*"))))
                .build());
        Accepted.finding(role, "AwsSolutions-IAM5", "Metrics have no ARN; a condition restricts the namespaces", "Resource::*");
        Accepted.finding(role, "AwsSolutions-IAM5", "The functions that report on the shards of this account",
                "/^Resource::arn:aws:lambda:.*:function:lockstep-\\*-report-status$/");
        Accepted.finding(role, "AwsSolutions-IAM5", "GenerateDataKey, with and without plaintext, on the key of the operations topic",
                "Action::kms:GenerateDataKey*");

        var watch = new HandlerFunction(this, new HandlerFunction.Props(network, Handler.WATCH).as(role));
        var input = new TreeMap<String, Object>(Map.of(
                "account", network.props().account().name(),
                "sourceBucket", Names.bucket(dataSet.name(), source.id(), network.props().landscape().region()),
                "dataSet", Workflow.constant(dataSet),
                "readerRoleArn", readerRole,
                "externalId", Names.externalId(dataSet.name()),
                "signingKeyArn",
                Names.keyAliasArn(network.props().landscape().region(), source.id(), Names.signingKeyAlias(dataSet.name())),
                "restoreMachineArn", restore.getStateMachineArn(),
                "operationsTopicArn", network.operations().getTopicArn(),
                "every", dataSet.watch().every().toString(),
                "shards", shards.stream().map(shard -> shard.shard().name()).toList()));
        input.put("rows", dataSet.watch().rows().toString());
        input.put("checks",
                dataSet.checks().stream().map(
                        check -> Workflow.<String>sorted(Map.of("name", check.name(), "sql", check.sql(), "expected", check.expected())))
                        .toList());
        var look = Workflow.invoke(new Construct(this, "WatchStates"), watch, "Look", input, "$");
        look.addRetry(Workflow.retry(Workflow.TRANSIENT));
        var machine = new Workflow(this, "Watching", Names.watchMachine(dataSet.name()), Duration.hours(1), network, look);
        Rule.Builder.create(this, "WatchSchedule")
                .description("Checks the shards that receive " + dataSet.name())
                .schedule(Schedule.rate(Duration.minutes(dataSet.watch().every().toMinutes())))
                // the next run comes soon enough
                .targets(List.of(SfnStateMachine.Builder.create(machine).retryAttempts(0).build())).build();
    }

    /** One graph per metric with a line per shard. A graph shows at most 500 lines. */
    private void dashboard(List<ShardStack> shards) {
        var dashboard = Dashboard.Builder.create(this, "Dashboard").dashboardName(Names.dashboard(dataSet.name())).build();
        for (var metric : ShardMetric.values()) {
            for (int from = 0; from < shards.size(); from += LINES) {
                var lines = shards.subList(from, Math.min(shards.size(), from + LINES)).stream()
                        .map(shard -> (IMetric) new ShardMetrics(dataSet, shard.shard().name()).of(metric)
                                .with(MetricOptions.builder().label(shard.shard().name()).build()))
                        .toList();
                dashboard.addWidgets(GraphWidget.Builder.create().title(metric.word()).left(lines).width(24).build());
            }
        }
    }

    /**
     * The role for manual restores, such as rollbacks and canaries. It starts restores of manifests that the source signed, and follows
     * them.
     */
    private void restoreStartRole(Workflow restore, List<ShardStack> shards) {
        var role = Role.Builder.create(this, "RestoreStart")
                .roleName(Names.restoreStartRole(dataSet.name())).assumedBy(new AccountRootPrincipal()).build();
        restore.grantStartExecution(role);
        grantFollow(role, restore, shards);
    }

    private void observerRole(Workflow restore, List<ShardStack> shards) {
        var role = Role.Builder.create(this, "Observer")
                .roleName(Names.observerRole(dataSet.name())).assumedBy(new AccountRootPrincipal()).build();
        grantFollow(role, restore, shards);
    }

    private static void grantFollow(Role role, Workflow restore, List<ShardStack> shards) {
        restore.grantFollow(role);
        for (var shard : shards) {
            shard.reportStatus().grantInvoke(role);
        }
        Accepted.finding(role, "AwsSolutions-IAM5", "Follows any restore that was started, and invokes each shard's ReportStatus",
                "/^Resource::.*:(execution|mapRun):lockstep-.*\\*$/", "/^Resource::.*ReportStatus.*:\\*$/");
    }
}
