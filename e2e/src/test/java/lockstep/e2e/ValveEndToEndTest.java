package lockstep.e2e;

import static lockstep.e2e.SharedCloud.CLOUD;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import lockstep.accounts.AccountAccess;
import lockstep.landscape.Names;
import lockstep.valve.BrokenPolicy;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.iam.model.MalformedPolicyDocumentException;
import software.amazon.awssdk.services.lambda.LambdaClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;
import software.amazon.awssdk.services.sts.StsClient;

/**
 * Compares the proof with IAM: deploys changes of broken.yaml to the emulated production account, one at a time, and tries the attack with
 * demo's credentials. Each attack is refused before the change and after the policy is restored.
 */
@ExtendWith(SharedCloud.class)
// after other tests, which count the messages in the dead-letter queues
@Order(Integer.MAX_VALUE - 1)
@Tag("nightly")
class ValveEndToEndTest {
    private static final String PRODUCTION = "111111111111", DEMO = "222222222222";
    private static final String SOURCE = "production-master-data-source/", TARGET = "production-master-data-target/";
    private static final String BUCKET = Names.bucket(PRODUCTION, "eu-central-1");
    private static final String READER = Names.roleArn("eu-central-1", PRODUCTION, Names.readerRole());
    private static final List<String> ATTACKERS = List.of("visitor", "debug", "lockstep-visitor");

    /** A place where a policy is in force. */
    private interface Place {
        /** Puts a policy and returns how to restore the previous one. */
        Runnable put(String document);

        String liveArn();
    }

    private interface Attempt {
        void run();
    }

    /**
     * @param policy  {@code STACK/LOGICAL-ID PROPERTY} of the changed policy
     * @param about   {@code STACK/LOGICAL-ID} of the resource it is attached to; empty if that has a fixed name
     * @param differs why the emulator refuses what the proof finds; empty if they agree
     */
    private record Case(String mutation, String policy, String about, Place place, Attempt attempt, String differs) {}

    private static AccountAccess production;
    private static AccountAccess worker;

    @BeforeAll
    static void prepare() {
        production = CLOUD.root("production");
        // so that the function has run recently
        CLOUD.lockstep("sync");
        worker = CLOUD.asFunction("demo", "RestoreShards");
        try (var iam = CLOUD.root("demo").client(IamClient.builder())) {
            for (String role : ATTACKERS) {
                iam.createRole(r -> r.roleName(role).assumeRolePolicyDocument(
                        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"sts:AssumeRole\","
                                + "\"Principal\":{\"AWS\":\"arn:aws:iam::" + DEMO + ":root\"}}]}"));
                iam.putRolePolicy(r -> r.roleName(role).policyName("all").policyDocument(
                        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}"));
            }
        }
        try (var s3 = production.client(S3Client.builder().forcePathStyle(true))) {
            s3.putObject(r -> r.bucket(BUCKET).key("imports/valve"), RequestBody.fromString("not for demo"));
        }
    }

    @AfterAll
    static void putAway() {
        try (var iam = CLOUD.root("demo").client(IamClient.builder());
                var s3 = production.client(S3Client.builder().forcePathStyle(true))) {
            for (String role : ATTACKERS) {
                iam.deleteRolePolicy(r -> r.roleName(role).policyName("all"));
                iam.deleteRole(r -> r.roleName(role));
            }
            s3.deleteObject(r -> r.bucket(BUCKET).key("imports/valve"));
        }
    }

    @Test
    void whatTheProofSaysIsWhatIamAnswers() {
        var differences = new ArrayList<String>();
        whileNothingIsTakenFromTheInbox(() -> {
            for (var tried : cases()) {
                String policy = tried.policy();
                String document = BrokenPolicy.document(tried.mutation(), policy.substring(0, policy.indexOf(' ')),
                        policy.substring(policy.indexOf(' ') + 1), tried.about(), tried.place().liveArn());
                boolean before = isAllowed(tried.attempt());
                boolean broken = isAllowedWith(document, tried);
                boolean after = isAllowed(tried.attempt());
                boolean found = BrokenPolicy.isFound(tried.mutation());
                System.out.printf("%-60s proof %-6s real %s%s%n", tried.mutation(), found ? "attack" : "none",
                        broken ? "attack" : "refused", tried.differs().isEmpty() ? "" : " (" + tried.differs() + ")");
                if (before || after || !found || broken != tried.differs().isEmpty()) {
                    differences.add("%s: before %s, proof %s, real %s, after %s".formatted(tried.mutation(), before, found, broken, after));
                }
            }
        });
        assertEquals(List.of(), differences);
    }

    private static boolean isAllowedWith(String document, Case tried) {
        Runnable back;
        try {
            back = tried.place().put(document);
        } catch (MalformedPolicyDocumentException e) {
            // the emulator refuses the policy itself
            return false;
        }
        try {
            return isAllowed(tried.attempt());
        } finally {
            back.run();
        }
    }

    private List<Case> cases() {
        String trust = SOURCE + "ReaderF7BF189D AssumeRolePolicyDocument",
                rights = SOURCE + "ReaderDefaultPolicy151F3818 PolicyDocument",
                inbox = TARGET + "InboxPolicy63A7501F PolicyDocument";
        String bucket = SOURCE + "BucketPolicyE9A3008A PolicyDocument", topic = SOURCE + "TopicPolicyA1747468 PolicyDocument",
                inboxQueue = TARGET + "InboxA8E05DC3";
        var readerTrust = trustOf(Names.readerRole());
        return List.of(
                // who may assume the reader role
                new Case("reader trusts anyone", trust, "", readerTrust, () -> assume(as("visitor"), READER, null), ""),
                new Case("reader trusts any principal of demo", trust, "", readerTrust,
                        () -> assume(as("visitor"), READER, "lockstep-production"), ""),
                new Case("external id is missing", trust, "", readerTrust, () -> assume(worker, READER, null), ""),
                new Case("external id may be anything", trust, "", readerTrust, () -> assume(worker, READER, "anything"), ""),
                new Case("external id only if there is one", trust, "", readerTrust, () -> assume(worker, READER, null), ""),
                new Case("external id for all values, of which there may be none", trust, "", readerTrust,
                        () -> assume(worker, READER, null), ""),
                new Case("everyone but qa may be the reader", trust, "", readerTrust, () -> assume(as("visitor"), READER, null), ""),
                new Case("roles of demo by a pattern that others fit", trust, "", readerTrust,
                        () -> assume(as("lockstep-visitor"), READER, "lockstep-production"), "the emulator compares the session's ARN"),
                new Case("everyone but one role of demo, by NotPrincipal", trust, "", readerTrust, () -> assume(as("debug"), READER, null),
                        "IAM takes no NotPrincipal that allows"),
                new Case("only an organization pins who may be the reader", trust, "", readerTrust,
                        () -> assume(as("visitor"), READER, null), "a condition that counts as open"),
                // other roles
                new Case("demo may start syncs", SOURCE + "SyncStart9F659570 AssumeRolePolicyDocument", "",
                        trustOf(Names.syncStartRole()),
                        () -> assume(as("visitor"), Names.roleArn("eu-central-1", PRODUCTION, Names.syncStartRole()), null), ""),
                new Case("chain of two roles, the second trusts its account", rights, "", rightsOf(Names.readerRole()),
                        () -> assume(reader(), Names.roleArn("eu-central-1", PRODUCTION, Names.importRole()), null), ""),
                new Case("chain of two roles, the second trusts the first by name",
                        SOURCE + "ImportStartA9FFAD27 AssumeRolePolicyDocument", "", trustOf(Names.importRole()),
                        () -> assume(reader(), Names.roleArn("eu-central-1", PRODUCTION, Names.importRole()), null),
                        "AWS lets in whom a trust of its own account names, the emulator asks the reader's policy too"),
                // what the reader may do
                new Case("the reader reads imports", rights, "", rightsOf(Names.readerRole()), () -> get(reader(), "imports/valve"),
                        ""),
                new Case("the reader writes manifests", rights, "", rightsOf(Names.readerRole()),
                        () -> put(reader(), "manifests/valve"), ""),
                new Case("the reader may all but delete, by NotAction", rights, "", rightsOf(Names.readerRole()),
                        () -> get(reader(), "imports/valve"), ""),
                new Case("the reader reads all but imports, by NotResource", rights, "", rightsOf(Names.readerRole()),
                        () -> get(reader(), "syncs/valve"), ""),
                // what resources admit
                new Case("demo writes into production's bucket", bucket, "", bucketPolicy(),
                        () -> put(as("visitor"), "imports/valve-of-demo"), ""),
                new Case("the inbox takes messages of anyone", inbox, inboxQueue, inboxPolicy(), () -> send(as("visitor")), ""),
                new Case("the inbox asks for the account only if there is one", inbox, inboxQueue, inboxPolicy(), () -> send(as("visitor")),
                        ""),
                new Case("the inbox asks for all values of the account, of which there may be none", inbox, inboxQueue, inboxPolicy(),
                        () -> send(as("visitor")), ""),
                new Case("the inbox takes messages from networks, which nobody can tell here", inbox, inboxQueue, inboxPolicy(),
                        () -> send(as("visitor")), "a condition that counts as open"),
                new Case("demo publishes to the topic", topic, SOURCE + "TopicBFC7AF6E", topicPolicy(), () -> publish(as("visitor")),
                        ""));
    }

    // ---- attackers

    private static AccountAccess as(String role) {
        return CLOUD.root("demo").assume(Names.roleArn("eu-central-1", DEMO, role), "valve");
    }

    private static AccountAccess reader() {
        try (var sts = worker.client(StsClient.builder())) {
            var given = sts.assumeRole(r -> r.roleArn(READER).externalId("lockstep-production").roleSessionName("valve")).credentials();
            return worker.with(StaticCredentialsProvider
                    .create(AwsSessionCredentials.create(given.accessKeyId(), given.secretAccessKey(), given.sessionToken())));
        }
    }

    private static boolean isAllowed(Attempt attempt) {
        try {
            attempt.run();
            return true;
        } catch (AwsServiceException e) {
            // a 404 is returned only if the caller may read the object
            if (e instanceof S3Exception && e.statusCode() == 404) return true;
            if (e.statusCode() == 403 || e.awsErrorDetails().errorCode().contains("AccessDenied")) return false;
            throw e;
        }
    }

    private static void assume(AccountAccess who, String role, String externalId) {
        try (var sts = who.client(StsClient.builder())) {
            sts.assumeRole(r -> r.roleArn(role).externalId(externalId).roleSessionName("valve"));
        }
    }

    private static void get(AccountAccess who, String key) {
        try (var s3 = who.client(S3Client.builder().forcePathStyle(true))) {
            s3.getObjectAsBytes(r -> r.bucket(BUCKET).key(key));
        }
    }

    private static void put(AccountAccess who, String key) {
        try (var s3 = who.client(S3Client.builder().forcePathStyle(true));
                var root = production.client(S3Client.builder().forcePathStyle(true))) {
            s3.putObject(r -> r.bucket(BUCKET).key(key), RequestBody.fromString("of demo"));
            root.deleteObject(r -> r.bucket(BUCKET).key(key));
        }
    }

    private static void send(AccountAccess who) {
        try (var sqs = who.client(SqsClient.builder()); var root = production.client(SqsClient.builder())) {
            sqs.sendMessage(r -> r.queueUrl(inboxUrl()).messageBody("of demo"));
            root.purgeQueue(r -> r.queueUrl(inboxUrl()));
        }
    }

    private static void publish(AccountAccess who) {
        try (var sns = who.client(SnsClient.builder())) {
            // every target moves it to the dead-letter queue, because it is not a notification
            sns.publish(r -> r.topicArn(Names.topicArn("eu-central-1", PRODUCTION, Names.topic())).message("of demo"));
        }
    }

    // ---- places of policies

    private static Place place(String liveArn, Function<String, Runnable> put) {
        return new Place() {
            @Override
            public Runnable put(String document) {
                return put.apply(document);
            }

            @Override
            public String liveArn() {
                return liveArn;
            }
        };
    }

    private static <C extends AutoCloseable> void with(C client, Consumer<C> work) {
        try (client) {
            work.accept(client);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static Place trustOf(String role) {
        return place("", document -> {
            var before = new String[1];
            with(production.client(IamClient.builder()), iam -> {
                before[0] = URLDecoder.decode(iam.getRole(r -> r.roleName(role)).role().assumeRolePolicyDocument(), StandardCharsets.UTF_8);
                iam.updateAssumeRolePolicy(r -> r.roleName(role).policyDocument(document));
            });
            return () -> with(production.client(IamClient.builder()),
                    iam -> iam.updateAssumeRolePolicy(r -> r.roleName(role).policyDocument(before[0])));
        });
    }

    /** Adds the policy to the role. Its own policy stays, because the changed one is an extended copy of it. */
    private static Place rightsOf(String role) {
        return place("", document -> {
            with(production.client(IamClient.builder()),
                    iam -> iam.putRolePolicy(r -> r.roleName(role).policyName("valve").policyDocument(document)));
            return () -> with(production.client(IamClient.builder()),
                    iam -> iam.deleteRolePolicy(r -> r.roleName(role).policyName("valve")));
        });
    }

    private static Place bucketPolicy() {
        return place("", document -> {
            var before = new String[1];
            with(production.client(S3Client.builder().forcePathStyle(true)), s3 -> {
                before[0] = s3.getBucketPolicy(r -> r.bucket(BUCKET)).policy();
                s3.putBucketPolicy(r -> r.bucket(BUCKET).policy(document));
            });
            return () -> with(production.client(S3Client.builder().forcePathStyle(true)),
                    s3 -> s3.putBucketPolicy(r -> r.bucket(BUCKET).policy(before[0])));
        });
    }

    private static Place inboxPolicy() {
        return place(queueAttribute(QueueAttributeName.QUEUE_ARN), document -> {
            String before = queueAttribute(QueueAttributeName.POLICY);
            with(production.client(SqsClient.builder()),
                    sqs -> sqs.setQueueAttributes(r -> r.queueUrl(inboxUrl()).attributes(Map.of(QueueAttributeName.POLICY, document))));
            return () -> with(production.client(SqsClient.builder()),
                    sqs -> sqs.setQueueAttributes(r -> r.queueUrl(inboxUrl()).attributes(Map.of(QueueAttributeName.POLICY, before))));
        });
    }

    private static Place topicPolicy() {
        String topic = Names.topicArn("eu-central-1", PRODUCTION, Names.topic());
        return place(topic, document -> {
            var before = new String[1];
            with(production.client(SnsClient.builder()), sns -> {
                before[0] = sns.getTopicAttributes(r -> r.topicArn(topic)).attributes().get("Policy");
                sns.setTopicAttributes(r -> r.topicArn(topic).attributeName("Policy").attributeValue(document));
            });
            return () -> with(production.client(SnsClient.builder()),
                    sns -> sns.setTopicAttributes(r -> r.topicArn(topic).attributeName("Policy").attributeValue(before[0])));
        });
    }

    private static String inboxUrl() {
        try (var sqs = production.client(SqsClient.builder())) {
            return sqs.listQueues(r -> {}).queueUrls().stream().filter(url -> url.contains("Inbox")).findFirst().orElseThrow();
        }
    }

    private static String queueAttribute(QueueAttributeName name) {
        try (var sqs = production.client(SqsClient.builder())) {
            return sqs.getQueueAttributes(r -> r.queueUrl(inboxUrl()).attributeNames(name)).attributes().get(name);
        }
    }

    private static void whileNothingIsTakenFromTheInbox(Runnable work) {
        try (var lambda = production.client(LambdaClient.builder())) {
            var mapping = lambda.listEventSourceMappings().eventSourceMappings().stream()
                    .filter(m -> m.functionArn().contains("StartRestore")).findFirst().orElseThrow();
            lambda.updateEventSourceMapping(r -> r.uuid(mapping.uuid()).enabled(false));
            try {
                work.run();
            } finally {
                lambda.updateEventSourceMapping(r -> r.uuid(mapping.uuid()).enabled(true));
            }
        }
    }
}
