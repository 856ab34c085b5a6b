package lockstep.infra;

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

/** One data set at its source: the dump, the bucket and topic it writes to, and the roles that start syncs and read the data. */
final class MasterDataSource extends Construct {
    private static final String SYNCS = "syncs/*";
    private static final String PARTS = "parts/*";
    private static final String MANIFESTS = "manifests/*";
    private static final String IMPORTS = "imports/*";

    private final DataSet dataSet;
    private final NetworkStack network;
    private final Key key;
    private final Key signingKey;
    private final Bucket bucket;
    private final Topic topic;

    /** @param targets the accounts that receive the data set */
    MasterDataSource(Construct scope, NetworkStack network, DataSet dataSet, ShardStack source, List<Account> targets) {
        super(scope, dataSet.name());
        this.dataSet = dataSet;
        this.network = network;
        var protection = network.props().protection();
        key = Key.Builder.create(this, "Key")
                .description("Parts, manifests and topic of " + dataSet.name()).enableKeyRotation(true).removalPolicy(protection.data())
                .build();
        signingKey = Key.Builder.create(this, "SigningKey")
                .description("Signs the manifests of " + dataSet.name())
                .alias(Names.signingKeyAlias(dataSet.name()))
                .keySpec(KeySpec.ECC_NIST_P256).keyUsage(KeyUsage.SIGN_VERIFY).removalPolicy(protection.data()).build();
        bucket = bucket();
        topic = Topic.Builder.create(this, "Topic").topicName(Names.topic(dataSet.name())).masterKey(key).enforceSsl(true).build();
        topic.addToResourcePolicy(PolicyStatement.Builder.create()
                .principals(targets.stream().map(account -> (IPrincipal) new AccountPrincipal(account.id())).toList())
                // CloudFormation reads the topic before it creates, changes or deletes a subscription
                .actions(List.of("sns:Subscribe", "sns:GetTopicAttributes")).resources(List.of(topic.getTopicArn())).build());
        var dump = dump(source);
        readerRole(targets);
        syncStartRole(dump, source);
        if (!dataSet.starting().byHand()) startAutomatically(dump, source);
        importRole(imports(source));
    }

    private Bucket bucket() {
        var logs = Bucket.Builder.create(this, "AccessLogs")
                // the log service can't write to a bucket with a customer-managed key
                .encryption(BucketEncryption.S3_MANAGED)
                .blockPublicAccess(BlockPublicAccess.BLOCK_ALL).enforceSsl(true)
                .lifecycleRules(List.of(LifecycleRule.builder().expiration(Duration.days(90)).build()))
                .removalPolicy(network.props().protection().data()).build();
        return Bucket.Builder.create(this, "Bucket")
                .bucketName(Names.bucket(dataSet.name(), network.props().account().id(), network.props().landscape().region()))
                .encryption(BucketEncryption.KMS).encryptionKey(key).bucketKeyEnabled(true)
                .blockPublicAccess(BlockPublicAccess.BLOCK_ALL).enforceSsl(true)
                .versioned(true)
                .serverAccessLogsBucket(logs).serverAccessLogsPrefix("access/")
                .lifecycleRules(List.of(
                        LifecycleRule.builder().id("working files of a sync").prefix("syncs/").expiration(Duration.days(7)).build(),
                        LifecycleRule.builder().id("imported files").prefix("imports/").expiration(Duration.days(7)).build(),
                        LifecycleRule.builder().id("leftovers").abortIncompleteMultipartUploadAfter(Duration.days(1))
                                .noncurrentVersionExpiration(Duration.days(30)).build()))
                .removalPolicy(network.props().protection().data()).build();
    }

    private Workflow dump(ShardStack source) {
        var hold = function(Handler.HOLD_SNAPSHOT);
        source.grantSecret(DatabaseUser.READER, hold);
        bucket.grantRead(hold, SYNCS);
        bucket.grantPut(hold, SYNCS);
        // the newest manifest says which parts need not be sent again; it is trusted only if its signature verifies
        bucket.grantRead(hold, MANIFESTS);
        signingKey.grantVerify(hold);
        var await = function(Handler.AWAIT_SNAPSHOT);
        bucket.grantRead(await, SYNCS);
        var dumpParts = function(Handler.DUMP_PARTS);
        source.grantSecret(DatabaseUser.READER, dumpParts);
        bucket.grantRead(dumpParts, SYNCS);
        bucket.grantPut(dumpParts, SYNCS);
        // compares the new parts with the previous ones
        bucket.grantRead(dumpParts, PARTS);
        bucket.grantPut(dumpParts, PARTS);
        var seal = function(Handler.SEAL_MANIFEST);
        bucket.grantRead(seal, SYNCS);
        bucket.grantPut(seal, SYNCS);
        bucket.grantRead(seal, MANIFESTS);
        bucket.grantPut(seal, MANIFESTS);
        signingKey.grantSign(seal);
        var assess = function(Handler.ASSESS);
        bucket.grantRead(assess, MANIFESTS);
        // shows some of the rows that would change
        bucket.grantRead(assess, PARTS);
        bucket.grantPut(assess, SYNCS);
        signingKey.grantVerify(assess);
        var admit = function(Handler.ADMIT);
        bucket.grantRead(admit, MANIFESTS);
        bucket.grantPut(admit, MANIFESTS);
        signingKey.grantVerify(admit);
        var release = function(Handler.RELEASE_SNAPSHOT);
        bucket.grantPut(release, SYNCS);
        var collect = function(Handler.COLLECT_PARTS);
        grantCollect(collect);
        for (var function : List.of(hold, await, dumpParts, seal, assess, admit, release, collect)) {
            Accepted.finding(function.getRole(), "AwsSolutions-IAM5",
                    "Objects below the prefix that this function works on, and the calls that S3 makes for one object",
                    OBJECTS, "Action::s3:Abort*", "Action::s3:GetBucket*", "Action::s3:GetObject*", "Action::s3:List*",
                    "Action::kms:GenerateDataKey*", "Action::kms:ReEncrypt*");
        }
        var sync = new TreeMap<String, Object>(Map.of(
                "dataSet", Workflow.constant(dataSet),
                "bucket", bucket.getBucketName(),
                "secretArn", source.secretOf(DatabaseUser.READER).getSecretArn(),
                "signingKeyArn", signingKey.getKeyArn(),
                "release", network.props().landscape().release()));
        var machine = new Workflow(this, "Dump", Names.dumpMachine(dataSet.name()),
                Duration.hours(2).plus(Duration.minutes(dataSet.holding().longest().toMinutes())), network,
                new DumpDefinition(network, sync, topic, hold, await, dumpParts, seal, assess, admit, release, collect, dataSet)
                        .build(new Construct(this, "DumpStates")));
        bucket.grantRead(machine, SYNCS);
        topic.grantPublish(machine);
        Accepted.finding(machine, "AwsSolutions-IAM5", "The Map reads its batches below one prefix", OBJECTS, "Action::s3:GetBucket*",
                "Action::s3:GetObject*", "Action::s3:List*");
        return machine;
    }

    /** Allows deleting versions of parts and manifests, so that an object put again meanwhile stays. The bucket's grants are too broad. */
    private void grantCollect(HandlerFunction collect) {
        var manifests = "manifests/" + dataSet.name() + "/";
        collect.addToRolePolicy(
                PolicyStatement.Builder.create().actions(List.of("s3:ListBucketVersions")).resources(List.of(bucket.getBucketArn()))
                        .conditions(Map.of("StringLike", Map.of("s3:prefix", List.of("parts/", manifests + "*")))).build());
        collect.addToRolePolicy(PolicyStatement.Builder.create().actions(List.of("s3:GetObject"))
                .resources(List.of(bucket.arnForObjects(manifests + "*"))).build());
        collect.addToRolePolicy(PolicyStatement.Builder.create().actions(List.of("s3:PutObject"))
                .resources(List.of(bucket.arnForObjects(manifests + "dropped/*"))).build());
        collect.addToRolePolicy(PolicyStatement.Builder.create().actions(List.of("s3:DeleteObjectVersion"))
                .resources(List.of(bucket.arnForObjects(PARTS), bucket.arnForObjects(manifests + "*"))).build());
        key.grantEncryptDecrypt(collect);
    }

    /**
     * ARN patterns of an account's worker and watch. IAM matches the role's ARN as text, so the role need not exist yet. An emulator
     * may match the session's ARN, which no other role can have.
     */
    private List<String> readers(Account account) {
        return Stream.of(Names.workerRole(dataSet.name()), Names.watchRole(dataSet.name()))
                .flatMap(role -> Stream.of(Names.roleArn(account.id(), role),
                        "arn:aws:sts::%s:assumed-role/%s/*".formatted(account.id(), role)))
                .toList();
    }

    /** The role that a target's worker and watch assume. It reads manifests and parts, and can do nothing else here. */
    private void readerRole(List<Account> targets) {
        // one statement for all accounts, because the size of a trust policy is limited
        var trusted = new CompositePrincipal(
                targets.stream().map(account -> (IPrincipal) new AccountPrincipal(account.id())).toArray(IPrincipal[]::new))
                .withConditions(new TreeMap<>(Map.of(
                        "StringEquals", Map.of("sts:ExternalId", Names.externalId(dataSet.name())),
                        "ArnLike", Map.of("aws:PrincipalArn", targets.stream().flatMap(account -> readers(account).stream()).toList()))));
        var role = Role.Builder.create(this, "Reader")
                .roleName(Names.readerRole(dataSet.name())).assumedBy(trusted).maxSessionDuration(Duration.hours(1)).build();
        // not grantRead, which would also allow listing the bucket
        role.addToPolicy(PolicyStatement.Builder.create()
                .actions(List.of("s3:GetObject")).resources(List.of(bucket.arnForObjects(MANIFESTS), bucket.arnForObjects(PARTS))).build());
        key.grantDecrypt(role);
        // by alias, because a key's id is not a contract
        var alias = Names.keyAliasArn(network.props().landscape().region(), network.props().account().id(),
                Names.signingKeyAlias(dataSet.name()));
        role.addToPolicy(
                PolicyStatement.Builder.create().actions(List.of("kms:Verify")).resources(List.of(signingKey.getKeyArn(), alias)).build());
        Accepted.finding(role, "AwsSolutions-IAM5",
                "Targets read manifests and parts; a session policy narrows each session to those of one manifest", OBJECTS);
    }

    private void syncStartRole(Workflow dump, ShardStack source) {
        var role = Role.Builder.create(this, "SyncStart")
                .roleName(Names.syncStartRole(dataSet.name())).assumedBy(new AccountRootPrincipal()).build();
        dump.grantStartExecution(role);
        // approves and rejects held syncs, with a token that only readers of the sync's notes have
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of("states:SendTaskFailure", "states:SendTaskSuccess"))
                .resources(List.of("*")).build());
        Accepted.finding(role, "AwsSolutions-IAM5", "Task callbacks have no resource in IAM; each needs the task's token", "Resource::*");
        dump.grantFollow(role);
        bucket.grantRead(role, SYNCS);
        bucket.grantRead(role, MANIFESTS);
        source.reportStatus().grantInvoke(role);
        Accepted.finding(role, "AwsSolutions-IAM5", "Follows any sync that was started, and reads its progress",
                OBJECTS, "Action::s3:GetBucket*", "Action::s3:GetObject*", "Action::s3:List*",
                "/^Resource::.*:(execution|mapRun):lockstep-.*\\*$/", "/^Resource::.*ReportStatus.*:\\*$/");
    }

    /** Starts syncs on a schedule, or once the source is quiet: two consecutive checks found the same counters of writes. */
    private void startAutomatically(Workflow dump, ShardStack source) {
        var starting = dataSet.starting();
        var function = function(Handler.START_SYNC);
        var notes = "manifests/" + dataSet.name() + "/";
        bucket.grantRead(function, notes + "noticed");
        bucket.grantRead(function, notes + "latest");
        bucket.grantPut(function, notes + "noticed");
        dump.grantStartExecution(function);
        dump.grantExecution(function, "states:DescribeExecution");
        dump.grant(function, "states:ListExecutions");
        // tells running dumps that are waiting for approval from the others
        bucket.grantRead(function, "syncs/*/held.json");
        source.reportStatus().grantInvoke(function);
        Accepted.finding(function.getRole(), "AwsSolutions-IAM5",
                "The calls that S3 and KMS make for one object, any version of the function that reports, and executions, whose names are "
                        + "not known in advance",
                "Action::s3:Abort*", "Action::s3:GetBucket*", "Action::s3:GetObject*", "Action::s3:List*", "Action::kms:GenerateDataKey*",
                "Action::kms:ReEncrypt*",
                "/^Resource::.*ReportStatus.*:\\*$/", "/^Resource::.*:execution:.*\\*$/",
                "/^Resource::<.*Bucket.*\\.Arn>\\/syncs\\/\\*\\/held\\.json$/");
        var input = new TreeMap<String, Object>(Map.of(
                "dataSet", Workflow.constant(dataSet),
                "bucket", bucket.getBucketName(),
                "dumpMachineArn", dump.getStateMachineArn(),
                "every", starting.quiet().orElse(java.time.Duration.ZERO).toString(),
                "byClock", JsonPath.objectAt("$.byClock")));
        var start = Workflow.invoke(new Construct(this, "StartStates"), function, "Start", input, "$");
        start.addRetry(Workflow.retry(Workflow.TRANSIENT));
        var machine = new Workflow(this, "Starting", Names.startMachine(dataSet.name()), Duration.minutes(15), network, start);
        starting.at()
                .ifPresent(at -> schedule("SyncByClock", "Starts a sync of " + dataSet.name(), Schedule.expression(at), machine, true));
        starting.quiet().ifPresent(quiet -> schedule("SyncWhenQuiet", "Checks whether " + dataSet.name() + " has changed and is quiet",
                Schedule.rate(Duration.minutes(quiet.toMinutes())), machine, false));
    }

    private void schedule(String id, String description, Schedule schedule, Workflow machine, boolean byClock) {
        Rule.Builder.create(this, id).description(description).schedule(schedule)
                .targets(List.of(SfnStateMachine.Builder.create(machine).input(RuleTargetInput.fromObject(Map.of("byClock", byClock)))
                        .retryAttempts(byClock ? 3 : 0).build()))
                .build();
    }

    /** Imports as the source's writer login, which may write the tables of data sets and no others. */
    private Workflow imports(ShardStack source) {
        var function = function(Handler.IMPORT_TABLE);
        source.grantSecret(DatabaseUser.WRITER, function);
        bucket.grantRead(function, IMPORTS);
        Accepted.finding(function.getRole(), "AwsSolutions-IAM5", "Files below the prefix that this function reads", OBJECTS,
                "Action::s3:GetBucket*", "Action::s3:GetObject*", "Action::s3:List*");
        var constants = new TreeMap<String, Object>(Map.of(
                "dataSet", Workflow.constant(dataSet),
                "bucket", bucket.getBucketName(),
                "secretArn", source.secretOf(DatabaseUser.WRITER).getSecretArn()));
        return new Workflow(this, "Import", Names.importMachine(dataSet.name()), Duration.hours(2), network,
                new ImportDefinition(constants, function).build(new Construct(this, "ImportStates")));
    }

    /** Separate from the role that starts syncs, which must not be able to change rows of the source. */
    private void importRole(Workflow imports) {
        var role = Role.Builder.create(this, "ImportStart")
                .roleName(Names.importRole(dataSet.name())).assumedBy(new AccountRootPrincipal()).build();
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

    private static final String OBJECTS = "/^Resource::<.*Bucket.*\\.Arn>\\/(syncs|parts|imports|manifests|manifests\\/[a-z0-9-]+|"
            + "manifests\\/[a-z0-9-]+\\/dropped)\\/\\*$/";
}
