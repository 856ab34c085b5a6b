package lockstep.infra;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import lockstep.landscape.Account;
import lockstep.landscape.DataSet;
import lockstep.landscape.DataSetMetric;
import lockstep.landscape.DatabaseUser;
import lockstep.landscape.Names;
import lockstep.landscape.ShardMetric;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.services.cloudwatch.Dashboard;
import software.amazon.awscdk.services.cloudwatch.GraphWidget;
import software.amazon.awscdk.services.cloudwatch.IMetric;
import software.amazon.awscdk.services.cloudwatch.Metric;
import software.amazon.awscdk.services.cloudwatch.MetricOptions;
import software.amazon.awscdk.services.events.Rule;
import software.amazon.awscdk.services.events.RuleTargetInput;
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

/**
 * The data sets that shards of this account receive: the inbox for published manifests, the restore into the shards, and the watch over
 * them. All data sets share them. It is a separate stack because it changes with each release, unlike the shards.
 */
final class MasterDataTargetStack extends AccountStack {
    private static final int LINES = 100;

    private final NetworkStack network;
    private final List<DataSet> dataSets;
    private final List<Account> sources;
    private final List<ShardStack> shards;

    /** @param shards the shards of this account by name */
    MasterDataTargetStack(Construct scope, String id, Props props, NetworkStack network, Map<String, ShardStack> shards,
            List<DataSet> dataSets) {
        super(scope, id, props, "Lockstep: master data received in " + props.account().name());
        this.network = network;
        this.dataSets = dataSets;
        this.sources = dataSets.stream().map(dataSet -> props().landscape().accountOf(dataSet.source())).distinct().toList();
        this.shards = props().account().shards().stream()
                .filter(shard -> dataSets.stream().anyMatch(dataSet -> !dataSet.source().equals(shard.name())))
                .map(shard -> shards.get(shard.name())).toList();
        var restore = restore();
        startRestore(restore, inbox());
        var observer = Role.Builder.create(this, "Observer").roleName(Names.observerRole()).assumedBy(new AccountRootPrincipal()).build();
        grantFollow(observer, restore);
        // for manual restores, such as rollbacks and canaries, of manifests that the source signed
        var starter = Role.Builder.create(this, "RestoreStart").roleName(Names.restoreStartRole()).assumedBy(new AccountRootPrincipal())
                .build();
        restore.grantStartExecution(starter);
        grantFollow(starter, restore);
        watch(restore);
        dashboard();
    }

    private Queue inbox() {
        var key = Key.Builder.create(this, "Key")
                .description("Inbox of master data").enableKeyRotation(true).removalPolicy(props().protection().data()).build();
        var refused = Queue.Builder.create(this, "Refused")
                .encryption(QueueEncryption.KMS).encryptionMasterKey(key).enforceSsl(true).retentionPeriod(Duration.days(14)).build();
        var inbox = Queue.Builder.create(this, "Inbox")
                .encryption(QueueEncryption.KMS).encryptionMasterKey(key).enforceSsl(true)
                // twice the function's timeout: long enough for the function to finish, short enough to report a failing message soon
                .visibilityTimeout(Duration.seconds(2 * Handler.START_RESTORE.timeout.toSeconds().intValue()))
                .deadLetterQueue(DeadLetterQueue.builder().queue(refused).maxReceiveCount(3).build()).build();
        for (var source : sources) {
            var topicArn = Names.topicArn(props().landscape().regionOf(source), source.id(), Names.topic());
            Topic.fromTopicArn(this, "TopicOf" + source.name(), topicArn)
                    .addSubscription(SqsSubscription.Builder.create(inbox).rawMessageDelivery(true).build());
        }
        var minute = MetricOptions.builder().period(Duration.minutes(1)).statistic("Maximum").build();
        network.operations().alarmWhen(this, "RefusedAlarm", "A notification of a sync could not be handled",
                refused.metricApproximateNumberOfMessagesVisible(minute), 0);
        network.operations().alarmWhen(this, "InboxAgeAlarm", "A notification of a sync has been waiting for more than five minutes",
                inbox.metricApproximateAgeOfOldestMessage(minute), 300);
        return inbox;
    }

    /** The place and keys of a data set at its source, which only this account's own deployment decides. */
    private TreeMap<String, Object> source(DataSet dataSet) {
        var source = props().landscape().accountOf(dataSet.source());
        var region = props().landscape().regionOf(source);
        return new TreeMap<>(Map.of(
                "account", props().account().name(),
                "dataSet", Workflow.constant(dataSet),
                "sourceBucket", Names.bucket(source.id(), region),
                "readerRoleArn", Names.roleArn(region, source.id(), Names.readerRole()),
                "externalId", Names.externalId(source.name()),
                "signingKeyArn", Names.keyAliasArn(region, source.id(), Names.signingKeyAlias())));
    }

    private void grantReading(Role role) {
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of("sts:AssumeRole"))
                .resources(sources.stream().map(source -> Names.roleArn(getRegion(), source.id(), Names.readerRole())).toList()).build());
    }

    private Workflow restore() {
        var worker = HandlerFunction.engineRole(this, "Worker", Names.workerRole());
        grantReading(worker);
        shards.forEach(shard -> shard.grantSecret(DatabaseUser.WRITER, worker));
        var function = new HandlerFunction(this, new HandlerFunction.Props(network, Handler.RESTORE_SHARDS).as(worker));
        var engine = new EngineTask(this, network, Handler.RESTORE_SHARDS, worker, dataSets);
        var constants = shards.stream()
                .map(shard -> Workflow.<String>sorted(
                        Map.of("name", shard.shard().name(), "secretArn", shard.secretOf(DatabaseUser.WRITER).getSecretArn())))
                .toList();
        var bySet = new LinkedHashMap<DataSet, Map<String, Object>>();
        dataSets.forEach(dataSet -> {
            var sync = source(dataSet);
            sync.put("functionMinutes", props().account().limits().functionMinutes());
            bySet.put(dataSet, sync);
        });
        var machine = new Workflow(this, "Restore", Names.restoreMachine(), EngineTask.LONGEST.plus(Duration.hours(4)), network,
                new RestoreDefinition(network, bySet, constants, function, engine).build(new Construct(this, "RestoreStates")));
        engine.grantRun(machine);
        return machine;
    }

    private void startRestore(Workflow restore, Queue inbox) {
        var starter = new HandlerFunction(this, new HandlerFunction.Props(network, Handler.START_RESTORE)
                .with(Map.of("RESTORE_STATE_MACHINE_ARN", restore.getStateMachineArn())));
        starter.target().addEventSource(SqsEventSource.Builder.create(inbox).batchSize(10).reportBatchItemFailures(true).build());
        restore.grantStartExecution(starter);
    }

    /** Runs as a state machine, because the function's input is too large for a schedule's event. */
    private void watch(Workflow restore) {
        var role = HandlerFunction.executionRole(this, "WatchRole", Names.watchRole(), false);
        grantReading(role);
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of("cloudwatch:PutMetricData")).resources(List.of("*"))
                // AWS always sets this key; an emulator may not
                .conditions(Map.of("StringLikeIfExists", Map.of("cloudwatch:namespace",
                        dataSets.stream().flatMap(set -> List.of(Names.metrics(set.name()), Names.metrics(set.name(), "*")).stream())
                                .toList())))
                .build());
        restore.grantStartExecution(role);
        restore.grant(role, "states:ListExecutions");
        network.operations().grantPublish(role);
        role.addToPolicy(ShardFunctionsStack.report(props()));
        Accepted.finding(role, "AwsSolutions-IAM5", "Metrics have no ARN; a condition restricts the namespaces", "Resource::*");
        Accepted.finding(role, "AwsSolutions-IAM5", "GenerateDataKey, with and without plaintext, on the key of the operations topic",
                "Action::kms:GenerateDataKey*");

        var watch = new HandlerFunction(this, new HandlerFunction.Props(network, Handler.WATCH).as(role));
        var bySet = new LinkedHashMap<DataSet, Map<String, Object>>();
        for (var dataSet : dataSets) {
            var input = source(dataSet);
            input.put("restoreMachineArn", restore.getStateMachineArn());
            input.put("operationsTopicArn", network.operations().getTopicArn());
            input.put("every", dataSet.watch().every().toString());
            input.put("rows", dataSet.watch().rows().toString());
            input.put("behind", dataSet.watch().behind().toString());
            input.put("reportsAtOnce", props().account().limits().reportsAtOnce());
            input.put("shards", shards.stream().map(shard -> shard.shard().name()).toList());
            input.put("checks", dataSet.checks().stream().map(
                    check -> Workflow.<String>sorted(Map.of("name", check.name(), "sql", check.sql(), "expected", check.expected())))
                    .toList());
            bySet.put(dataSet, input);
        }
        var states = new Construct(this, "WatchStates");
        var look = Workflow.invoke(states, watch, "Look");
        look.addRetry(Workflow.retry(Workflow.TRANSIENT));
        var machine = new Workflow(this, "Watching", Names.watchMachine(), Duration.hours(1), network,
                Workflow.forDataSet(states, bySet, look));
        for (var dataSet : dataSets) {
            Rule.Builder.create(this, dataSet.name() + "Watch")
                    .description("Checks the shards that receive " + dataSet.name())
                    .schedule(Schedule.rate(Duration.minutes(dataSet.watch().every().toMinutes())))
                    .targets(List.of(SfnStateMachine.Builder.create(machine)
                            .input(RuleTargetInput.fromObject(Map.of("dataSet", dataSet.name())))
                            // the next run comes soon enough
                            .retryAttempts(0).build()))
                    .build();
            alarms(dataSet);
        }
    }

    /** Two alarms for each data set. The dashboard and {@code lockstep status} show which shard it is, and why. */
    private void alarms(DataSet dataSet) {
        var watch = dataSet.watch();
        // missing data means that the watch does not run or a shard does not answer; before the first sync there is none
        network.operations().alarmWhenAboveOrUnknown(this, dataSet.name() + "FreshnessAlarm",
                "%s: the snapshot in force in a shard is older than %d hours, or its age is unknown".formatted(dataSet.name(),
                        watch.age().toHours()),
                metric(dataSet, Names.metrics(dataSet.name()), DataSetMetric.FRESHNESS.word()), watch.age().toSeconds());
        network.operations().alarmWhen(this, dataSet.name() + "OutOfStepAlarm",
                ("%s: a shard is out of step. A newer sync has not come into force for %d minutes, or tables differ from what the sync in "
                        + "force wrote, or the shard can't report its state, or a check in lockstep.yaml failed").formatted(dataSet.name(),
                                watch.behind().toMinutes()),
                metric(dataSet, Names.metrics(dataSet.name()), DataSetMetric.OUT_OF_STEP.word()), 0);
    }

    /**
     * The maximum over two of the watch's intervals, because one interval may contain no data point. The metric has no label: the CDK turns
     * an alarm on a labelled metric into one on metric math.
     */
    private static Metric metric(DataSet dataSet, String namespace, String name) {
        return Metric.Builder.create().namespace(namespace).metricName(name).statistic("Maximum")
                .period(Duration.minutes(2 * dataSet.watch().every().toMinutes())).build();
    }

    /** One graph per data set and metric with a line per shard. A graph shows at most 500 lines. */
    private void dashboard() {
        var dashboard = Dashboard.Builder.create(this, "Dashboard").dashboardName(Names.dashboard()).build();
        for (var dataSet : dataSets) {
            for (var metric : ShardMetric.values()) {
                for (int from = 0; from < shards.size(); from += LINES) {
                    var lines = shards.subList(from, Math.min(shards.size(), from + LINES)).stream()
                            .map(shard -> shard.shard().name()).filter(shard -> !shard.equals(dataSet.source()))
                            .map(shard -> (IMetric) metric(dataSet, Names.metrics(dataSet.name(), shard), metric.word())
                                    .with(MetricOptions.builder().label(shard).build()))
                            .toList();
                    dashboard.addWidgets(
                            GraphWidget.Builder.create().title(dataSet.name() + ": " + metric.word()).left(lines).width(24).build());
                }
            }
        }
    }

    private void grantFollow(Role role, Workflow restore) {
        restore.grantFollow(role);
        role.addToPolicy(ShardFunctionsStack.report(props()));
        Accepted.finding(role, "AwsSolutions-IAM5", "Follows any restore that was started",
                "/^Resource::.*:(execution|mapRun):lockstep-.*\\*$/");
    }
}
