package lockstep.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import lockstep.landscape.Landscape;
import org.junit.jupiter.api.Test;

/** Tests who may deploy, sync and read, and who is notified. */
class DeliveryTest {
    private static final Assembly CLINIC = Assembly.clinic();
    private static final Map<String, String> ACCOUNTS = Map.of("production", "111111111111", "demo", "222222222222", "qa", "333333333333");

    /** Compares the complete trust policies, so that an additional principal or a missing condition fails the test. */
    @Test
    void rolesTrustOneProjectAndOneBranch() {
        ACCOUNTS.forEach((account, id) -> {
            for (var role : List.of("Deploy", "Sync")) {
                assertEquals(
                        """
                        {"Statement":[{"Action":"sts:AssumeRoleWithWebIdentity",\
                        "Condition":{"StringEquals":{"gitlab.example.com:aud":"lockstep",\
                        "gitlab.example.com:sub":"project_path:clinic/lockstep:ref_type:branch:ref:main"}},"Effect":"Allow",\
                        "Principal":{"Federated":"arn:aws:iam::%s:oidc-provider/gitlab.example.com"}}],"Version":"2012-10-17"}"""
                                .formatted(id),
                        role(account, role).get("AssumeRolePolicyDocument").toString());
            }
            assertEquals("""
                    {"Statement":[{"Action":"sts:AssumeRoleWithWebIdentity",\
                    "Condition":{"StringEquals":{"gitlab.example.com:aud":"lockstep"},\
                    "StringLike":{"gitlab.example.com:sub":"project_path:clinic/lockstep:ref_type:branch:ref:*"}},"Effect":"Allow",\
                    "Principal":{"Federated":"arn:aws:iam::%s:oidc-provider/gitlab.example.com"}}],"Version":"2012-10-17"}""".formatted(id),
                    role(account, "Diff").get("AssumeRolePolicyDocument").toString());
            assertEquals("""
                    {"Statement":[{"Action":"sts:AssumeRoleWithWebIdentity",\
                    "Condition":{"StringEquals":{"gitlab.example.com:aud":"lockstep",\
                    "gitlab.example.com:sub":["project_path:clinic/code-lists:ref_type:branch:ref:main",\
                    "project_path:other/lists:ref_type:branch:ref:stable"]}},"Effect":"Allow",\
                    "Principal":{"Federated":"arn:aws:iam::%s:oidc-provider/gitlab.example.com"}}],"Version":"2012-10-17"}""".formatted(id),
                    role(account, "SyncOnly").get("AssumeRolePolicyDocument").toString());
            var provider = CLINIC.resource(account + "-delivery", "AWS::IAM::OIDCProvider", "");
            assertEquals("https://gitlab.example.com", provider.property("Url").asText());
            assertEquals("[\"lockstep\"]", provider.property("ClientIdList").toString());
        });
        assertEquals(12, CLINIC.resources("AWS::IAM::Role").stream()
                .filter(role -> role.property("AssumeRolePolicyDocument").toString().contains("Federated")).count());
    }

    @Test
    void whoDeploysDoesItByTheRolesOfBootstrapping() {
        ACCOUNTS.forEach((account, id) -> assertEquals(Set.of(
                "sts:AssumeRole cdk-hnb659fds-deploy-role", "sts:AssumeRole cdk-hnb659fds-file-publishing-role",
                "sts:AssumeRole cdk-hnb659fds-image-publishing-role", "sts:AssumeRole cdk-hnb659fds-lookup-role",
                "sts:TagSession cdk-hnb659fds-deploy-role", "sts:TagSession cdk-hnb659fds-file-publishing-role",
                "sts:TagSession cdk-hnb659fds-image-publishing-role", "sts:TagSession cdk-hnb659fds-lookup-role",
                "s3:ListBucket Releases", "s3:GetObject Releases/assemblies/*", "s3:GetObject Releases/releases/*",
                "s3:GetObject Releases/log/*",
                "s3:PutObject Releases/assemblies/*", "s3:PutObject Releases/releases/*", "s3:PutObject Releases/log/*",
                "kms:Decrypt Key", "kms:Encrypt Key", "kms:GenerateDataKey* Key", "kms:ReEncrypt* Key",
                "lambda:InvokeFunction lockstep-prepare-database", "cloudwatch:PutMetricData *",
                "sns:Publish IMPORT", "kms:Decrypt IMPORT", "kms:GenerateDataKey* IMPORT"), grants(account, "Deploy", id)));
    }

    /** In the source's account also the sync-start role. All roles are of the same account. */
    @Test
    void whoSyncsBecomesTheRolesThatPeopleBecome() {
        var everywhere = Set.of("sts:AssumeRole lockstep-observer", "s3:PutObject Releases/log/*", "kms:Decrypt Key",
                "kms:Encrypt Key", "kms:GenerateDataKey* Key", "kms:ReEncrypt* Key",
                "sns:Publish IMPORT", "kms:Decrypt IMPORT", "kms:GenerateDataKey* IMPORT");
        ACCOUNTS.forEach((account, id) -> {
            var expected = new TreeSet<>(everywhere);
            if (account.equals("production")) expected.add("sts:AssumeRole lockstep-sync-start");
            assertEquals(expected, grants(account, "Sync", id));
        });
    }

    /** Neither writes the log, nor approves a held sync, nor starts a restore. */
    @Test
    void otherProjectsStartAndFollowSyncsAlone() {
        ACCOUNTS.forEach((account, id) -> {
            var expected = new TreeSet<>(Set.of("sts:AssumeRole lockstep-observer"));
            if (account.equals("production")) expected.add("sts:AssumeRole lockstep-sync-start");
            assertEquals(expected, grants(account, "SyncOnly", id));
        });
        var stack = "production-master-data-source";
        assertFalse(CLINIC.resource(stack, "AWS::IAM::Policy", "SyncStart").property("PolicyDocument").toString().contains("SendTask"));
        assertEquals("[\"states:SendTaskFailure\",\"states:SendTaskSuccess\"]",
                CLINIC.resource(stack, "AWS::IAM::Policy", "Approve").property("PolicyDocument").at("/Statement/0/Action").toString());
    }

    /** Jobs with this role run code that nobody has reviewed. */
    @Test
    void whoLooksReadsTemplatesAlone() {
        ACCOUNTS.forEach((account, id) -> assertEquals(
                Set.of("cloudformation:DescribeStacks STACKS of " + account, "cloudformation:GetTemplate STACKS of " + account),
                grants(account, "Diff", id)));
    }

    @Test
    void nobodyIsTrustedWithoutADelivery() {
        var clinic = TestLandscapes.clinic();
        var without = Assembly.synthesize("undelivered", new Landscape(clinic.product(), clinic.release(), clinic.region(),
                clinic.accounts(), clinic.dataSets(), List.of(), Optional.empty(), List.of()));
        assertEquals(List.of(), without.resources("AWS::IAM::OIDCProvider"));
        assertTrue(without.templates().values().stream().noneMatch(template -> template.contains("Federated")));
        assertEquals(
                3, without.resources("AWS::S3::Bucket").stream()
                        .filter(bucket -> bucket.property("BucketName").asText().endsWith("-releases")).count(),
                "releases are kept all the same");
    }

    @Test
    void whatIsKeptIsNeverDeletedByARole() {
        for (var bucket : CLINIC.resources("AWS::S3::Bucket").stream().filter(bucket -> bucket.id().startsWith("Releases")).toList()) {
            assertEquals("Enabled", bucket.property("VersioningConfiguration").get("Status").asText());
            assertFalse(bucket.property("LifecycleConfiguration").toString().contains("Expiration"), bucket::toString);
        }
        for (var account : ACCOUNTS.keySet()) {
            assertFalse(CLINIC.templates().get(account + "-delivery").contains("s3:Delete"), account);
        }
    }

    @Test
    void whatIsToldReachesMailAndChat() {
        for (var account : ACCOUNTS.keySet()) {
            var stack = account + "-delivery";
            assertEquals(Set.of("email operations@clinic.example", "sqs Queue"), CLINIC.resources(stack, "AWS::SNS::Subscription").stream()
                    .map(s -> s.property("Protocol").asText() + " "
                            + (s.property("Endpoint").isTextual() ? s.property("Endpoint").asText()
                                    : s.property("Endpoint").at("/Fn::GetAtt/0").asText().startsWith("NotificationsQueue") ? "Queue" : "?"))
                    .collect(Collectors.toSet()));
            var queue = CLINIC.resource(stack, "AWS::SQS::Queue", "Queue");
            assertEquals(5, queue.property("RedrivePolicy").get("maxReceiveCount").asInt());
            assertEquals(CLINIC.resource(stack, "AWS::SQS::Queue", "Refused").id(),
                    queue.property("RedrivePolicy").at("/deadLetterTargetArn/Fn::GetAtt/0").asText());
            var function = CLINIC.resource(stack, "AWS::Lambda::Function", "Notify");
            assertEquals(6 * function.property("Timeout").asInt(), queue.property("VisibilityTimeout").asInt());
            assertEquals("lockstep.delivery.Notify::handleRequest", function.property("Handler").asText());
            assertTrue(CLINIC.resource(stack, "AWS::CloudWatch::Alarm", "RefusedAlarm").property("Dimensions").toString()
                    .contains("NotificationsRefused"));
        }
    }

    @Test
    void productionAndDemoTellWhenTheyAreApart() {
        for (var account : List.of("production", "demo")) {
            var alarm = CLINIC.resource(account + "-delivery", "AWS::CloudWatch::Alarm", "Apart");
            assertEquals("Lockstep/delivery ReleasesApart Maximum 3600 3600 notBreaching",
                    "%s %s %s %s %s %s".formatted(alarm.property("Namespace").asText(), alarm.property("MetricName").asText(),
                            alarm.property("Statistic").asText(), alarm.property("Period").asText(), alarm.property("Threshold").asText(),
                            alarm.property("TreatMissingData").asText()));
            assertTrue(CLINIC.templates().get(account + "-delivery").replaceAll("\\s", "")
                    .contains("\"StringEqualsIfExists\":{\"cloudwatch:namespace\":\"Lockstep/delivery\"}"));
        }
        assertEquals(List.of(), CLINIC.resources("qa-delivery", "AWS::CloudWatch::Alarm").stream()
                .filter(alarm -> alarm.id().startsWith("Apart")).toList());
    }

    /** Anyone who knows the webhook's URL can post to the chat. */
    @Test
    void theChatsAddressIsInNoTemplateAndNoEnvironment() {
        for (var account : ACCOUNTS.keySet()) {
            var secret = CLINIC.resource(account + "-delivery", "AWS::SecretsManager::Secret", "Webhook");
            assertFalse(secret.property("GenerateSecretString").isMissingNode());
            assertTrue(secret.property("SecretString").isMissingNode());
            var environment = CLINIC.resource(account + "-delivery", "AWS::Lambda::Function", "Notify").property("Environment")
                    .get("Variables");
            assertEquals(List.of("ACCOUNT", "JAVA_TOOL_OPTIONS", "WEBHOOK_SECRET_ARN"), List.copyOf(names(environment)));
            assertEquals(secret.id(), environment.get("WEBHOOK_SECRET_ARN").get("Ref").asText());
        }
    }

    /** All steps of a run must be of one release, so their functions have no alias that shifts a part of the calls. */
    @Test
    void functionsThatAnswerByThemselvesShiftInSteps() {
        var shifting = new TreeSet<String>();
        for (var alias : CLINIC.resources("AWS::Lambda::Alias")) {
            assertEquals("live", alias.property("Name").asText());
            var group = alias.body().at("/UpdatePolicy/CodeDeployLambdaAliasUpdate/DeploymentGroupName/Ref").asText();
            var deployment = CLINIC.resources(alias.stack(), "AWS::CodeDeploy::DeploymentGroup").stream().filter(g -> g.id().equals(group))
                    .findFirst().orElseThrow();
            assertEquals("CodeDeployDefault.LambdaCanary10Percent5Minutes", deployment.property("DeploymentConfigName").asText());
            assertEquals("[\"DEPLOYMENT_FAILURE\",\"DEPLOYMENT_STOP_ON_REQUEST\",\"DEPLOYMENT_STOP_ON_ALARM\"]",
                    deployment.property("AutoRollbackConfiguration").get("Events").toString());
            assertEquals(1, deployment.property("AlarmConfiguration").get("Alarms").size());
            shifting.add(alias.stack() + " " + alias.property("FunctionName").get("Ref").asText()
                    .replaceFirst("^Notifications", "").replaceFirst("[0-9A-F]{8}$", ""));
        }
        assertEquals(new TreeSet<>(ACCOUNTS.keySet().stream().flatMap(account -> Stream
                .of(account + "-delivery Notify", account + "-master-data-target StartRestore", account + "-master-data-target Watch"))
                .toList()), shifting);
    }

    /** Callers must invoke the alias; otherwise shifting would have no effect. */
    @Test
    void nobodyInvokesAShiftingFunctionPastItsAlias() {
        for (var stack : CLINIC.templates().keySet()) {
            for (var alias : CLINIC.resources(stack, "AWS::Lambda::Alias")) {
                String function = alias.property("FunctionName").get("Ref").asText();
                for (var policy : CLINIC.resources(stack, "AWS::IAM::Policy").stream().filter(policy -> !policy.id().startsWith("Shifting"))
                        .toList()) {
                    for (var statement : policy.property("PolicyDocument").get("Statement")) {
                        if (statement.get("Action").toString().contains("lambda:InvokeFunction"))
                            assertFalse(statement.get("Resource").toString().contains("\"" + function + "\""),
                                    policy + " invokes " + function);
                    }
                }
                CLINIC.resources(stack, "AWS::Lambda::EventSourceMapping")
                        .forEach(mapping -> assertFalse(mapping.property("FunctionName").toString().contains("\"" + function + "\""),
                                mapping::toString));
            }
        }
    }

    private static JsonNode role(String account, String id) {
        return CLINIC.resources(account + "-delivery", "AWS::IAM::Role").stream().filter(role -> role.id().matches(id + "[0-9A-F]{8}"))
                .findFirst().orElseThrow().body().get("Properties");
    }

    /** The allowed actions with their resources, all of which are in this account. */
    private static Set<String> grants(String account, String id, String accountId) {
        var grants = new TreeSet<String>();
        var policy = CLINIC.resources(account + "-delivery", "AWS::IAM::Policy").stream()
                .filter(p -> p.id().startsWith(id + "DefaultPolicy")).findFirst().orElseThrow();
        for (var statement : policy.property("PolicyDocument").get("Statement")) {
            many(statement.get("Action")).forEach(action -> many(statement.get("Resource"))
                    .forEach(resource -> grants.add(action.asText() + " " + granted(account, accountId, resource))));
        }
        return grants;
    }

    private static String granted(String account, String accountId, JsonNode resource) {
        if (resource.isTextual()) {
            if (resource.asText().equals("*")) return "*";
            assertTrue(resource.asText().contains(":" + accountId + ":"), resource::asText);
            return resource.asText().replaceFirst("^arn:aws:iam::\\d+:role/(.*?)(-\\d{12}-eu-central-1)?$", "$1")
                    .replaceFirst("^arn:aws:lambda:eu-central-1:\\d+:function:", "")
                    .replaceFirst("^arn:aws:cloudformation:eu-central-1:\\d+:stack/" + account + "-\\*/\\*$", "STACKS of " + account);
        }
        if (resource.has("Fn::Join"))
            return granted(account, accountId, resource.at("/Fn::Join/1/0")) + resource.at("/Fn::Join/1/1").asText();
        if (resource.has("Fn::ImportValue")) return "IMPORT";
        return resource.at("/Fn::GetAtt/0").asText().replaceFirst("[0-9A-F]{8}$", "");
    }

    private static Stream<JsonNode> many(JsonNode oneOrMany) {
        return oneOrMany.isArray() ? StreamSupport.stream(oneOrMany.spliterator(), false) : Stream.of(oneOrMany);
    }

    private static Set<String> names(JsonNode object) {
        var names = new TreeSet<String>();
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }
}
