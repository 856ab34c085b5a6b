package lockstep.infra;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import lockstep.landscape.Account;
import lockstep.landscape.DataSet;
import lockstep.landscape.DatabaseUser;
import lockstep.landscape.Names;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.services.events.Rule;
import software.amazon.awscdk.services.events.RuleTargetInput;
import software.amazon.awscdk.services.events.Schedule;
import software.amazon.awscdk.services.events.targets.SfnStateMachine;
import software.amazon.awscdk.services.iam.AccountPrincipal;
import software.amazon.awscdk.services.iam.AccountRootPrincipal;
import software.amazon.awscdk.services.iam.CompositePrincipal;
import software.amazon.awscdk.services.iam.IPrincipal;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.amazon.awscdk.services.iam.Role;
import software.amazon.awscdk.services.kms.Key;
import software.amazon.awscdk.services.kms.KeySpec;
import software.amazon.awscdk.services.kms.KeyUsage;
import software.amazon.awscdk.services.s3.BlockPublicAccess;
import software.amazon.awscdk.services.s3.Bucket;
import software.amazon.awscdk.services.s3.BucketEncryption;
import software.amazon.awscdk.services.s3.LifecycleRule;
import software.amazon.awscdk.services.sns.Topic;
import software.amazon.awscdk.services.stepfunctions.JsonPath;
import software.constructs.Construct;

/**
 * The data sets whose source is in this account: the dump, the bucket and topic it writes to, and the roles that start syncs and read the
 * data. All data sets share them; each has its own prefix in the bucket. It is a separate stack because it changes with each release,
 * unlike the shards.
 */
final class MasterDataSourceStack extends AccountStack {
    private static final String SYNCS = "syncs/*";
    private static final String PARTS = "parts/*";
    private static final String MANIFESTS = "manifests/*";
    private static final String IMPORTS = "imports/*";
    private static final String OBJECTS = "/^Resource::<.*Bucket.*\\.Arn>\\/(syncs|parts|imports|manifests)\\/\\*$/";

    private final NetworkStack network;
    private final List<DataSet> dataSets;
    private final Map<String, ShardStack> sources = new LinkedHashMap<>();
    private final Key key;
    private final Key signingKey;
    private final Bucket bucket;
    private final Topic topic;

    /** @param shards the shards of this account by name */
    MasterDataSourceStack(Construct scope, String id, Props props, NetworkStack network, Map<String, ShardStack> shards,
            List<DataSet> dataSets) {
        super(scope, id, props, "Lockstep: master data maintained in " + props.account().name());
        this.network = network;
        this.dataSets = dataSets;
        dataSets.forEach(dataSet -> sources.put(dataSet.source(), shards.get(dataSet.source())));
        var targets = props().landscape().accounts().stream()
                .filter(account -> dataSets.stream().anyMatch(dataSet -> !props().landscape().targetsIn(account, dataSet).isEmpty()))
                .toList();
        key = Key.Builder.create(this, "Key")
                .description("Parts, manifests and topic of master data").enableKeyRotation(true)
                .removalPolicy(props().protection().data()).build();
        signingKey = Key.Builder.create(this, "SigningKey")
                .description("Signs manifests")
                .alias(Names.signingKeyAlias())
                .keySpec(KeySpec.ECC_NIST_P256).keyUsage(KeyUsage.SIGN_VERIFY).removalPolicy(props().protection().data()).build();
        bucket = bucket();
        topic = Topic.Builder.create(this, "Topic").topicName(Names.topic()).masterKey(key).enforceSsl(true).build();
        topic.addToResourcePolicy(PolicyStatement.Builder.create()
                .principals(targets.stream().map(account -> (IPrincipal) new AccountPrincipal(account.id())).toList())
                // CloudFormation reads the topic before it creates, changes or deletes a subscription
                .actions(List.of("sns:Subscribe", "sns:GetTopicAttributes")).resources(List.of(topic.getTopicArn())).build());
        var manageManifests = manageManifests();
        var dump = dump(manageManifests);
        readerRole(targets);
        syncStartRole(dump);
        approveRole();
        if (dataSets.stream().anyMatch(dataSet -> !dataSet.starting().byHand())) startAutomatically(dump, manageManifests);
        importRole(imports());
    }

    private Bucket bucket() {
        var logs = Bucket.Builder.create(this, "AccessLogs")
                // the log service can't write to a bucket with a customer-managed key
                .encryption(BucketEncryption.S3_MANAGED)
                .blockPublicAccess(BlockPublicAccess.BLOCK_ALL).enforceSsl(true)
                .lifecycleRules(List.of(LifecycleRule.builder().expiration(Duration.days(90)).build()))
                .removalPolicy(props().protection().data()).build();
        return Bucket.Builder.create(this, "Bucket")
                .bucketName(Names.bucket(props().account().id(), props().region()))
                .encryption(BucketEncryption.KMS).encryptionKey(key).bucketKeyEnabled(true)
                .blockPublicAccess(BlockPublicAccess.BLOCK_ALL).enforceSsl(true)
                .versioned(true)
                .serverAccessLogsBucket(logs).serverAccessLogsPrefix("access/")
                .lifecycleRules(List.of(
                        LifecycleRule.builder().id("working files of a sync").prefix("syncs/").expiration(Duration.days(7)).build(),
                        LifecycleRule.builder().id("imported files").prefix("imports/").expiration(Duration.days(7)).build(),
                        LifecycleRule.builder().id("leftovers").abortIncompleteMultipartUploadAfter(Duration.days(1))
                                .noncurrentVersionExpiration(Duration.days(30)).build()))
                .removalPolicy(props().protection().data()).build();
    }

    /** The function that reads the databases. It writes parts, but no manifests. */
    private HandlerFunction readSource(Role role) {
        var function = new HandlerFunction(this, new HandlerFunction.Props(network, Handler.READ_SOURCE).as(role));
        sources.values().forEach(source -> source.grantSecret(DatabaseUser.READER, function));
        bucket.grantRead(function, SYNCS);
        bucket.grantPut(function, SYNCS);
        // the newest manifest says which parts need not be sent again; it is trusted only if its signature verifies
        bucket.grantRead(function, MANIFESTS);
        signingKey.grantVerify(function);
        // compares the new parts with the previous ones
        bucket.grantRead(function, PARTS);
        bucket.grantPut(function, PARTS);
        acceptObjects(function);
        return function;
    }

    /** The function that writes and signs manifests. It has no access to a database. */
    private HandlerFunction manageManifests() {
        var function = function(Handler.MANAGE_MANIFESTS);
        bucket.grantRead(function, SYNCS);
        bucket.grantPut(function, SYNCS);
        bucket.grantRead(function, MANIFESTS);
        bucket.grantPut(function, MANIFESTS);
        // a held sync shows some of the rows that would change
        bucket.grantRead(function, PARTS);
        signingKey.grantSign(function);
        signingKey.grantVerify(function);
        // by version, so that an object put again meanwhile stays; the bucket's grants are too broad
        function.addToRolePolicy(
                PolicyStatement.Builder.create().actions(List.of("s3:ListBucketVersions")).resources(List.of(bucket.getBucketArn()))
                        .conditions(Map.of("StringLike", Map.of("s3:prefix", List.of(PARTS, MANIFESTS)))).build());
        function.addToRolePolicy(PolicyStatement.Builder.create().actions(List.of("s3:DeleteObjectVersion"))
                .resources(List.of(bucket.arnForObjects(PARTS), bucket.arnForObjects(MANIFESTS))).build());
        key.grantEncryptDecrypt(function);
        acceptObjects(function);
        return function;
    }

    private static void acceptObjects(HandlerFunction function) {
        Accepted.finding(function.getRole(), "AwsSolutions-IAM5",
                "Objects below the prefixes that this function works on, and the calls that S3 makes for one object",
                OBJECTS, "Action::s3:Abort*", "Action::s3:GetBucket*", "Action::s3:GetObject*", "Action::s3:List*",
                "Action::kms:GenerateDataKey*", "Action::kms:ReEncrypt*");
    }

    private Workflow dump(HandlerFunction manageManifests) {
        var constants = new TreeMap<String, Object>(Map.of(
                "bucket", bucket.getBucketName(),
                "signingKeyArn", signingKey.getKeyArn(),
                "functionMinutes", props().account().limits().functionMinutes(),
                "release", props().landscape().release()));
        var bySet = new LinkedHashMap<DataSet, Map<String, Object>>();
        for (var dataSet : dataSets) {
            var sync = new TreeMap<>(constants);
            sync.put("dataSet", Workflow.constant(dataSet));
            sync.put("secretArn", sources.get(dataSet.source()).secretOf(DatabaseUser.READER).getSecretArn());
            bySet.put(dataSet, sync);
        }
        var reader = HandlerFunction.engineRole(this, "ReadSourceRole", null);
        var engine = new EngineTask(this, network, Handler.READ_SOURCE, reader, dataSets);
        var longest = dataSets.stream().mapToLong(dataSet -> dataSet.holding().longest().toMinutes()).max().orElseThrow();
        var machine = new Workflow(this, "Dump", Names.dumpMachine(),
                EngineTask.LONGEST.plus(Duration.hours(2)).plus(Duration.minutes(longest)), network,
                new DumpDefinition(network, bySet, topic, readSource(reader), engine, manageManifests)
                        .build(new Construct(this, "DumpStates")));
        engine.grantRun(machine);
        bucket.grantRead(machine, SYNCS);
        topic.grantPublish(machine);
        Accepted.finding(machine, "AwsSolutions-IAM5", "The Map reads its batches below one prefix", OBJECTS, "Action::s3:GetBucket*",
                "Action::s3:GetObject*", "Action::s3:List*");
        return machine;
    }

    /**
     * ARN patterns of an account's worker and watch. IAM matches the role's ARN as text, so the role need not exist yet. An emulator
     * may match the session's ARN, which no other role can have.
     */
    private List<String> readers(Account account) {
        var region = props().landscape().regionOf(account);
        return Stream.of(Names.workerRole(), Names.watchRole())
                .flatMap(role -> Stream.of(Names.roleArn(region, account.id(), role),
                        Names.globalArn("sts", region, account.id(), "assumed-role/" + role + "/*")))
                .toList();
    }

    /** The role that a target's worker and watch assume. It reads manifests and parts, and can do nothing else here. */
    private void readerRole(List<Account> targets) {
        // one statement for all accounts, because the size of a trust policy is limited
        var trusted = new CompositePrincipal(
                targets.stream().map(account -> (IPrincipal) new AccountPrincipal(account.id())).toArray(IPrincipal[]::new))
                .withConditions(new TreeMap<>(Map.of(
                        "StringEquals", Map.of("sts:ExternalId", Names.externalId(props().account().name())),
                        "ArnLike", Map.of("aws:PrincipalArn", targets.stream().flatMap(account -> readers(account).stream()).toList()))));
        var role = Role.Builder.create(this, "Reader")
                .roleName(Names.readerRole()).assumedBy(trusted).maxSessionDuration(Duration.hours(1)).build();
        // not grantRead, which would also allow listing the bucket
        role.addToPolicy(PolicyStatement.Builder.create()
                .actions(List.of("s3:GetObject")).resources(List.of(bucket.arnForObjects(MANIFESTS), bucket.arnForObjects(PARTS))).build());
        key.grantDecrypt(role);
        // by alias, because a key's id is not a contract
        var alias = Names.keyAliasArn(props().region(), props().account().id(), Names.signingKeyAlias());
        role.addToPolicy(
                PolicyStatement.Builder.create().actions(List.of("kms:Verify")).resources(List.of(signingKey.getKeyArn(), alias)).build());
        Accepted.finding(role, "AwsSolutions-IAM5",
                "Targets read manifests and parts; a session policy narrows each session to those of one manifest", OBJECTS);
    }

    private void syncStartRole(Workflow dump) {
        var role = Role.Builder.create(this, "SyncStart").roleName(Names.syncStartRole()).assumedBy(new AccountRootPrincipal()).build();
        dump.grantStartExecution(role);
        dump.grantFollow(role);
        bucket.grantRead(role, SYNCS);
        bucket.grantRead(role, MANIFESTS);
        role.addToPolicy(ShardFunctionsStack.report(props()));
        Accepted.finding(role, "AwsSolutions-IAM5", "Follows any sync that was started, and reads its progress",
                OBJECTS, "Action::s3:GetBucket*", "Action::s3:GetObject*", "Action::s3:List*",
                "/^Resource::.*:(execution|mapRun):lockstep-.*\\*$/");
    }

    /** Separate from the role that starts syncs, so that no pipeline approves what it started. A held sync is for a person. */
    private void approveRole() {
        var role = Role.Builder.create(this, "Approve").roleName(Names.approveRole()).assumedBy(new AccountRootPrincipal()).build();
        // with a token that only readers of the sync's notes have
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of("states:SendTaskFailure", "states:SendTaskSuccess"))
                .resources(List.of("*")).build());
        Accepted.finding(role, "AwsSolutions-IAM5", "Task callbacks have no resource in IAM; each needs the task's token", "Resource::*");
    }

    /** Starts syncs on a schedule, or once the source is quiet: two consecutive checks found the same counters of writes. */
    private void startAutomatically(Workflow dump, HandlerFunction manageManifests) {
        // by name, because the machine invokes the function
        var machineArn = Names.statesArn(props().region(), props().account().id(), "stateMachine", Names.dumpMachine());
        manageManifests.addToRolePolicy(PolicyStatement.Builder.create()
                .actions(List.of("states:StartExecution", "states:ListExecutions")).resources(List.of(machineArn)).build());
        manageManifests.addToRolePolicy(PolicyStatement.Builder.create().actions(List.of("states:DescribeExecution"))
                .resources(List.of(Names.executionArn(machineArn, "*"))).build());
        manageManifests.addToRolePolicy(ShardFunctionsStack.report(props()));
        Accepted.finding(manageManifests.getRole(), "AwsSolutions-IAM5", "Executions, whose names are not known in advance",
                "/^Resource::.*:execution:.*\\*$/");
        var bySet = new LinkedHashMap<DataSet, Map<String, Object>>();
        for (var dataSet : dataSets) {
            bySet.put(dataSet, new TreeMap<>(Map.of(
                    "dataSet", Workflow.constant(dataSet),
                    "bucket", bucket.getBucketName(),
                    "dumpMachineArn", machineArn,
                    "every", dataSet.starting().quiet().orElse(java.time.Duration.ZERO).toString(),
                    "byClock", JsonPath.objectAt("$.byClock"))));
        }
        var states = new Construct(this, "StartStates");
        var start = Workflow.invoke(states, manageManifests, "StartSync", "Start", JsonPath.objectAt("$"), "$");
        start.addRetry(Workflow.retry(Workflow.TRANSIENT));
        var machine = new Workflow(this, "Starting", Names.startMachine(), Duration.minutes(15), network,
                Workflow.forDataSet(states, bySet, start));
        machine.getNode().addDependency(dump);
        for (var dataSet : dataSets) {
            dataSet.starting().at().ifPresent(at -> schedule(dataSet, "ByClock", "Starts a sync of " + dataSet.name(),
                    Schedule.expression(at), machine, true));
            dataSet.starting().quiet().ifPresent(quiet -> schedule(dataSet, "WhenQuiet",
                    "Checks whether " + dataSet.name() + " has changed and is quiet", Schedule.rate(Duration.minutes(quiet.toMinutes())),
                    machine, false));
        }
    }

    private void schedule(DataSet dataSet, String id, String description, Schedule schedule, Workflow machine, boolean byClock) {
        Rule.Builder.create(this, dataSet.name() + id).description(description).schedule(schedule)
                .targets(List.of(SfnStateMachine.Builder.create(machine)
                        .input(RuleTargetInput.fromObject(new TreeMap<>(Map.of("dataSet", dataSet.name(), "byClock", byClock))))
                        .retryAttempts(byClock ? 3 : 0).build()))
                .build();
    }

    /** Imports as the source's writer login, which may write the tables of data sets and no others. */
    private Workflow imports() {
        var function = function(Handler.IMPORT_TABLE);
        sources.values().forEach(source -> source.grantSecret(DatabaseUser.WRITER, function));
        bucket.grantRead(function, IMPORTS);
        Accepted.finding(function.getRole(), "AwsSolutions-IAM5", "Files below the prefix that this function reads", OBJECTS,
                "Action::s3:GetBucket*", "Action::s3:GetObject*", "Action::s3:List*");
        var bySet = new LinkedHashMap<DataSet, Map<String, Object>>();
        for (var dataSet : dataSets) {
            bySet.put(dataSet, new TreeMap<>(Map.of(
                    "dataSet", Workflow.constant(dataSet),
                    "bucket", bucket.getBucketName(),
                    "secretArn", sources.get(dataSet.source()).secretOf(DatabaseUser.WRITER).getSecretArn())));
        }
        return new Workflow(this, "Import", Names.importMachine(), Duration.hours(2), network,
                new ImportDefinition(bySet, function).build(new Construct(this, "ImportStates")));
    }

    /** Separate from the role that starts syncs, which must not be able to change rows of the source. */
    private void importRole(Workflow imports) {
        var role = Role.Builder.create(this, "ImportStart").roleName(Names.importRole()).assumedBy(new AccountRootPrincipal()).build();
        imports.grantStartExecution(role);
        imports.grantFollow(role);
        // not a grant of the bucket, which would allow more than PutObject
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of("s3:PutObject")).resources(List.of(bucket.arnForObjects(IMPORTS)))
                .build());
        key.grantEncryptDecrypt(role);
        Accepted.finding(role, "AwsSolutions-IAM5",
                "Puts files under ids that are not known in advance, and follows any import that was started",
                OBJECTS, "Action::kms:GenerateDataKey*", "Action::kms:ReEncrypt*", "/^Resource::.*:(execution|mapRun):lockstep-.*\\*$/");
    }

    private HandlerFunction function(Handler handler) {
        return new HandlerFunction(this, new HandlerFunction.Props(network, handler));
    }
}
