package lockstep.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import lockstep.infra.Assembly.Resource;
import org.junit.jupiter.api.Test;

class SecurityTest {
    private static final Assembly CLINIC = Assembly.clinic();
    private static final List<String> RESOURCE_POLICIES = List.of("AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy");

    @Test
    void noNetworkReachesTheInternet() {
        for (var type : List.of("AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::EIP", "AWS::EC2::Route")) {
            assertEquals(List.of(), CLINIC.resources(type));
        }
        assertEquals(3, CLINIC.resources("AWS::EC2::FlowLog").size());
    }

    @Test
    void nothingIsOpenToTheWorld() {
        for (var group : CLINIC.resources("AWS::EC2::SecurityGroup")) {
            group.property("SecurityGroupIngress").forEach(rule -> assertEquals("10.0.0.0/16", rule.get("CidrIp").asText(), group::toString));
        }
        for (var rule : CLINIC.resources("AWS::EC2::SecurityGroupIngress")) {
            assertTrue(rule.property("SourceSecurityGroupId").isObject(), rule::toString);
            assertEquals(5432, rule.property("FromPort").asInt());
        }
        CLINIC.resources("AWS::RDS::DBInstance").forEach(instance -> assertFalse(instance.property("PubliclyAccessible").asBoolean(true), instance::toString));
    }

    @Test
    void databasesWantTls() {
        assertEquals(5, CLINIC.resources("AWS::RDS::DBClusterParameterGroup").stream().filter(group -> group.property("Parameters").path("rds.force_ssl").asText().equals("1")).count());
    }

    /** All that a function in the network speaks to, and nothing that is paid for and not used. */
    @Test
    void networksReachTheServicesThatFunctionsUse() {
        for (var account : List.of("production", "demo", "qa")) {
            var services = CLINIC.resources(account + "-network", "AWS::EC2::VPCEndpoint").stream().map(endpoint -> endpoint.property("ServiceName"))
                    .map(name -> name.isTextual() ? name.asText().replaceFirst(".*\\.", "") : name.at("/Fn::Join/1/2").asText().substring(1)).sorted().toList();
            assertEquals(List.of("kms", "s3", "secretsmanager", "sts"), services);
        }
    }

    @Test
    void noRoleMayDoEverything() {
        for (var policy : CLINIC.resources("AWS::IAM::Policy")) {
            for (var statement : policy.property("PolicyDocument").get("Statement")) {
                texts(statement.get("Action")).forEach(action -> assertFalse(action.equals("*") || action.endsWith(":*"), policy + " " + action));
                if (texts(statement.get("Resource")).anyMatch("*"::equals)) {
                    texts(statement.get("Action")).forEach(action -> assertTrue(action.startsWith("ec2:") || action.startsWith("logs:") || action.startsWith("xray:"), policy + " " + action));
                }
            }
        }
        CLINIC.resources("AWS::IAM::Role").forEach(role -> assertTrue(role.property("ManagedPolicyArns").isMissingNode(), role::toString));
    }

    /** All that names production in the stacks of demo and qa, beside constants for handlers: one role to assume, one topic to hear. */
    @Test
    void otherAccountsCanOnlyAssumeTheReaderRole() {
        for (var account : List.of("demo", "qa")) {
            for (var stack : CLINIC.templates().keySet().stream().filter(name -> name.startsWith(account + "-")).toList()) {
                for (var policy : CLINIC.resources(stack, "AWS::IAM::Policy")) {
                    for (var statement : policy.property("PolicyDocument").get("Statement")) {
                        if (statement.toString().contains("111111111111")) {
                            assertEquals("{\"Action\":\"sts:AssumeRole\",\"Effect\":\"Allow\",\"Resource\":\"arn:aws:iam::111111111111:role/lockstep-master-reader\"}", statement.toString());
                            assertTrue(policy.id().startsWith("masterWorker"), policy::toString);
                        }
                    }
                }
            }
        }
    }

    @Test
    void readerRoleTrustsOneRoleOfEachTarget() {
        var reader = CLINIC.resource("production-master-data-source", "AWS::IAM::Role", "Reader");
        var accounts = new TreeSet<String>();
        for (var statement : reader.property("AssumeRolePolicyDocument").get("Statement")) {
            var account = statement.at("/Principal/AWS").asText().replaceAll("\\D", "");
            assertEquals("lockstep-master", statement.at("/Condition/StringEquals/sts:ExternalId").asText());
            assertEquals("arn:aws:iam::%s:role/lockstep-master-worker".formatted(account), statement.at("/Condition/ArnLike/aws:PrincipalArn/0").asText());
            assertEquals("arn:aws:sts::%s:assumed-role/lockstep-master-worker/*".formatted(account), statement.at("/Condition/ArnLike/aws:PrincipalArn/1").asText());
            accounts.add(account);
        }
        assertEquals(Set.of("111111111111", "222222222222", "333333333333"), accounts);
    }

    @Test
    void readerRoleReadsManifestsAndPartsAlone() {
        var allowed = new ArrayList<String>();
        for (var statement : CLINIC.resource("production-master-data-source", "AWS::IAM::Policy", "Reader").property("PolicyDocument").get("Statement")) {
            texts(statement.get("Action")).forEach(action -> allowed.add(action + " " + statement.get("Resource")));
        }
        assertEquals(3, allowed.size(), allowed::toString);
        assertTrue(allowed.stream().anyMatch(grant -> grant.matches("s3:GetObject \\[.*/manifests/\\*.*/parts/\\*.*")), allowed::toString);
        assertTrue(allowed.stream().anyMatch(grant -> grant.matches("kms:Decrypt \\{\"Fn::GetAtt\":\\[\"masterKey\\w+\",\"Arn\"]}")), allowed::toString);
        assertTrue(allowed.stream().anyMatch(grant -> grant.matches("kms:Verify \\[\".*alias/lockstep-master-signing\".*masterSigningKey.*")), allowed::toString);
    }

    @Test
    void bucketsTopicsAndQueuesWantTls() {
        var guarded = 0;
        for (var type : RESOURCE_POLICIES) {
            for (var policy : CLINIC.resources(type)) {
                var statements = StreamSupport.stream(policy.property("PolicyDocument").get("Statement").spliterator(), false);
                assertTrue(statements.anyMatch(s -> s.get("Effect").asText().equals("Deny") && s.at("/Condition/Bool/aws:SecureTransport").asText().equals("false")), policy::toString);
                guarded++;
            }
        }
        assertEquals(Stream.of("AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SQS::Queue").mapToInt(type -> CLINIC.resources(type).size()).sum(), guarded);
    }

    @Test
    void everythingAtRestIsEncryptedWithOurKeys() {
        CLINIC.resources("AWS::SNS::Topic").forEach(topic -> assertTrue(topic.property("KmsMasterKeyId").isObject(), topic::toString));
        CLINIC.resources("AWS::SQS::Queue").forEach(queue -> assertTrue(queue.property("KmsMasterKeyId").isObject(), queue::toString));
        CLINIC.resources("AWS::Logs::LogGroup").forEach(group -> assertTrue(group.property("KmsKeyId").isObject() && group.property("RetentionInDays").isInt(), group::toString));
        CLINIC.resources("AWS::SecretsManager::Secret").forEach(secret -> assertTrue(secret.property("KmsKeyId").isObject(), secret::toString));
        for (var bucket : CLINIC.resources("AWS::S3::Bucket")) {
            assertEquals(4, StreamSupport.stream(bucket.property("PublicAccessBlockConfiguration").spliterator(), false).filter(JsonNode::asBoolean).count(), bucket::toString);
        }
        assertTrue(CLINIC.resource("production-master-data-source", "AWS::S3::Bucket", "masterBucket").property("BucketEncryption").toString().contains("aws:kms"));
    }

    /** No policy of a resource, key or role lets anyone in but the accounts of the landscape, AWS services, and services that speak for one known source. */
    @Test
    void onlyAccountsOfTheLandscapeAreTrusted() {
        var accounts = Pattern.compile("arn:aws:iam::(111111111111|222222222222|333333333333):root");
        var policies = Stream.concat(
                RESOURCE_POLICIES.stream().flatMap(type -> CLINIC.resources(type).stream()),
                Stream.of("AWS::KMS::Key", "AWS::IAM::Role").flatMap(type -> CLINIC.resources(type).stream()));
        policies.forEach(resource -> {
            for (var name : List.of("PolicyDocument", "KeyPolicy", "AssumeRolePolicyDocument")) {
                for (var statement : resource.property(name).path("Statement")) {
                    if (statement.get("Effect").asText().equals("Allow")) {
                        assertFalse(statement.get("Principal").isTextual(), resource + " lets anyone in");
                        texts(statement.at("/Principal/AWS")).forEach(principal -> assertTrue(accounts.matcher(principal).matches(), resource + " " + principal));
                        // no service but Lambda and Step Functions acts without naming whom it speaks for
                        texts(statement.at("/Principal/Service")).filter(service -> !name.equals("AssumeRolePolicyDocument"))
                                .forEach(service -> assertTrue(statement.has("Condition"), resource + " " + service));
                    }
                }
            }
        });
        var foreign = CLINIC.resources("AWS::IAM::Role").stream().filter(role -> !role.toString().contains("Reader"))
                .filter(role -> texts(role.property("AssumeRolePolicyDocument").at("/Statement/0/Principal/AWS")).anyMatch(principal -> !principal.contains(accountOf(role)))).toList();
        assertEquals(List.of(), foreign);
    }

    @Test
    void topicMayBeHeardByTargetsAndInboxSpokenToByTheTopicAlone() {
        var subscribe = CLINIC.resource("production-master-data-source", "AWS::SNS::TopicPolicy", "").property("PolicyDocument").get("Statement").get(1);
        assertEquals(List.of("sns:GetTopicAttributes", "sns:Subscribe"), texts(subscribe.get("Action")).toList());
        for (var account : List.of("production", "demo", "qa")) {
            var send = CLINIC.resource(account + "-master-data-target", "AWS::SQS::QueuePolicy", "Inbox").property("PolicyDocument").get("Statement").get(1);
            assertEquals("arn:aws:sns:eu-central-1:111111111111:lockstep-master", send.at("/Condition/ArnEquals/aws:SourceArn").asText());
            assertEquals("sqs:SendMessage", send.get("Action").asText());
        }
    }

    private static String accountOf(Resource resource) {
        return switch (resource.stack().replaceFirst("-.*", "")) {
            case "production" -> "111111111111";
            case "demo" -> "222222222222";
            default -> "333333333333";
        };
    }

    private static Stream<String> texts(JsonNode oneOrMany) {
        return oneOrMany.isArray() ? StreamSupport.stream(oneOrMany.spliterator(), false).map(JsonNode::asText)
                : oneOrMany.isTextual() ? Stream.of(oneOrMany.asText()) : Stream.empty();
    }
}
