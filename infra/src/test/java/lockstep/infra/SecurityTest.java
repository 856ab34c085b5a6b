package lockstep.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import lockstep.infra.Assembly.Resource;
import org.junit.jupiter.api.Test;

class SecurityTest {
    private static final Assembly CLINIC = Assembly.clinic();
    private static final List<
            String> RESOURCE_POLICIES = List.of("AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy");

    @Test
    void loadBalancersAloneHaveAWayToTheInternet() {
        for (var type : List.of("AWS::EC2::NatGateway", "AWS::EC2::EIP")) {
            assertEquals(List.of(), CLINIC.resources(type));
        }
        var routes = CLINIC.resources("AWS::EC2::Route");
        assertEquals(3 * 2, routes.size());
        routes.forEach(
                route -> assertTrue(route.property("RouteTableId").get("Ref").asText().startsWith("VpcpublicSubnet"), route::toString));
        CLINIC.resources("AWS::EC2::Subnet")
                .forEach(subnet -> assertFalse(subnet.property("MapPublicIpOnLaunch").asBoolean(true), subnet::toString));
        for (var stack : CLINIC.templates().entrySet()) {
            assertEquals(stack.getKey().endsWith("-proxy") || stack.getKey().endsWith("-network"),
                    stack.getValue().contains("publicSubnet"), stack.getKey());
        }
        for (var balancer : CLINIC.resources("AWS::ElasticLoadBalancingV2::LoadBalancer")) {
            balancer.property("Subnets").forEach(subnet -> assertTrue(subnet.toString().contains("publicSubnet"), balancer::toString));
        }
        for (var service : CLINIC.resources("AWS::ECS::Service")) {
            var place = service.property("NetworkConfiguration").get("AwsvpcConfiguration");
            assertEquals("DISABLED", place.get("AssignPublicIp").asText(), service::toString);
            place.get("Subnets").forEach(subnet -> assertTrue(subnet.toString().contains("isolatedSubnet"), service::toString));
        }
        assertEquals(3, CLINIC.resources("AWS::EC2::FlowLog").size());
    }

    @Test
    void onlyLoadBalancersAreOpenToTheWorld() {
        var open = new TreeSet<String>();
        for (var group : CLINIC.resources("AWS::EC2::SecurityGroup")) {
            for (var rule : group.property("SecurityGroupIngress")) {
                if (rule.get("CidrIp").asText().equals("0.0.0.0/0")) {
                    open.add(group.stack() + " " + name(group.id()) + ":" + rule.get("FromPort").asInt());
                } else {
                    assertEquals("10.0.0.0/16", rule.get("CidrIp").asText(), group::toString);
                    assertEquals("Endpoints", name(group.id()));
                }
            }
        }
        assertEquals(Set.of("production-production-proxy LoadBalancerGroup:443", "demo-demo-proxy LoadBalancerGroup:443",
                "demo-demo-proxy LoadBalancerGroup:80",
                "qa-production-proxy LoadBalancerGroup:443", "qa-demo-proxy LoadBalancerGroup:443", "qa-demo-proxy LoadBalancerGroup:80"),
                open);
        CLINIC.resources("AWS::RDS::DBInstance")
                .forEach(instance -> assertFalse(instance.property("PubliclyAccessible").asBoolean(true), instance::toString));
    }

    /** Internet, load balancer, nginx, application, database: each hop admits only the one before it. */
    @Test
    void eachHopAdmitsTheOneBeforeIt() {
        var admitted = new TreeSet<String>();
        for (var rule : CLINIC.resources("AWS::EC2::SecurityGroupIngress")) {
            assertEquals(rule.property("FromPort"), rule.property("ToPort"), rule::toString);
            admitted.add("%s: %s > %s:%s".formatted(rule.stack(), group(rule.property("SourceSecurityGroupId")),
                    group(rule.property("GroupId")), rule.property("FromPort").asText()));
        }
        var expected = new TreeSet<String>();
        for (var account : TestLandscapes.clinic().accounts()) {
            for (var shard : account.shards()) {
                var stack = account.name() + "-shard-" + shard.name();
                expected.add(stack + ": " + shard.edition().word() + "ClinicClients > ApplicationGroup:8443");
                expected.add(stack + ": ApplicationGroup > DatabaseGroup:5432");
                expected.add(stack + ": DatabaseClients > DatabaseGroup:5432");
            }
            for (var proxy : account.proxies()) {
                var stack = account.name() + "-" + proxy.edition().word() + "-proxy";
                expected.add(stack + ": LoadBalancerGroup > Group:8443");
                expected.add(stack + ": LoadBalancerGroup > Group:8080");
            }
        }
        assertEquals(expected, admitted);
    }

    /** Security groups of the tasks: an edition's proxies may connect only to that edition's applications. */
    @Test
    void tasksAreInTheGroupsOfTheirHop() {
        for (var service : CLINIC.resources("AWS::ECS::Service")) {
            var groups = elements(service.property("NetworkConfiguration").get("AwsvpcConfiguration").get("SecurityGroups"))
                    .map(SecurityTest::group).toList();
            var edition = service.stack().contains("demo-") ? "demo" : "production";
            assertEquals(service.stack().endsWith("-proxy") ? List.of("Group", edition + "ClinicClients") : List.of("ApplicationGroup"),
                    groups, service::toString);
        }
        for (var group : CLINIC.resources("AWS::EC2::SecurityGroup")) {
            if (name(group.id()).endsWith("ClinicClients")) {
                assertEquals(List.of("10.0.0.0/16:8443"), elements(group.property("SecurityGroupEgress"))
                        .map(rule -> rule.get("CidrIp").asText() + ":" + rule.get("FromPort").asText()).toList());
            }
        }
    }

    @Test
    void databasesWantTls() {
        assertEquals(5, CLINIC.resources("AWS::RDS::DBClusterParameterGroup").stream()
                .filter(group -> group.property("Parameters").path("rds.force_ssl").asText().equals("1")).count());
    }

    /** Interface endpoints exist exactly for the services in use. Only the demo's application sends inquiries. */
    @Test
    void networksReachTheServicesThatAreUsed() {
        for (var account : List.of("production", "demo", "qa")) {
            var services = CLINIC.resources(account + "-network", "AWS::EC2::VPCEndpoint").stream()
                    .map(endpoint -> endpoint.property("ServiceName"))
                    .map(name -> name.isTextual() ? name.asText().replaceFirst(".*\\.", "")
                            : name.at("/Fn::Join/1/2").asText().substring(1))
                    .sorted().toList();
            assertEquals(account.equals("production") ? List.of("api", "dkr", "kms", "logs", "s3", "secretsmanager", "states", "sts")
                    : List.of("api", "dkr", "kms", "logs", "s3", "secretsmanager", "sns", "states", "sts"), services);
        }
    }

    @Test
    void noRoleMayDoEverything() {
        for (var policy : CLINIC.resources("AWS::IAM::Policy")) {
            for (var statement : policy.property("PolicyDocument").get("Statement")) {
                texts(statement.get("Action"))
                        .forEach(action -> assertFalse(action.equals("*") || action.endsWith(":*"), policy + " " + action));
                if (texts(statement.get("Resource")).anyMatch("*"::equals)) {
                    texts(statement.get("Action"))
                            .forEach(action -> assertTrue(
                                    action.startsWith("ec2:") || action.startsWith("logs:") || action.startsWith("xray:")
                                            || action.equals("ecr:GetAuthorizationToken") || action.equals("cloudwatch:PutMetricData")
                                            || action.equals("cloudwatch:DescribeAlarms")
                                            || action.startsWith("elasticloadbalancing:Describe") || action.startsWith("states:SendTask"),
                                    policy + " " + action));
                }
            }
        }
        CLINIC.resources("AWS::IAM::Role").forEach(role -> assertTrue(role.property("ManagedPolicyArns").isMissingNode(), role::toString));
    }

    /** The only references to production in the stacks of demo and qa, besides handlers' constants: one role to assume and one topic. */
    @Test
    void otherAccountsCanOnlyAssumeTheReaderRole() {
        for (var account : List.of("demo", "qa")) {
            for (var stack : CLINIC.templates().keySet().stream().filter(name -> name.startsWith(account + "-")).toList()) {
                for (var policy : CLINIC.resources(stack, "AWS::IAM::Policy")) {
                    for (var statement : policy.property("PolicyDocument").get("Statement")) {
                        if (statement.toString().contains("111111111111")) {
                            assertEquals(
                                    "{\"Action\":\"sts:AssumeRole\",\"Effect\":\"Allow\","
                                            + "\"Resource\":\"arn:aws:iam::111111111111:role/lockstep-reader\"}",
                                    statement.toString());
                            assertTrue(policy.id().startsWith("Worker") || policy.id().startsWith("WatchRole"),
                                    policy::toString);
                        }
                    }
                }
            }
        }
    }

    @Test
    void readerRoleTrustsWorkerAndWatchOfEachTarget() {
        var reader = CLINIC.resource("production-master-data-source", "AWS::IAM::Role", "Reader");
        var statements = reader.property("AssumeRolePolicyDocument").get("Statement");
        assertEquals(1, statements.size());
        assertEquals("lockstep-production", statements.at("/0/Condition/StringEquals/sts:ExternalId").asText());
        var accounts = List.of("111111111111", "222222222222", "333333333333");
        assertEquals(accounts.stream().map("arn:aws:iam::%s:root"::formatted).toList(), texts(statements.at("/0/Principal/AWS")).toList());
        assertEquals(
                accounts.stream()
                        .flatMap(a -> Stream.of("worker", "watch")
                                .flatMap(role -> Stream.of("arn:aws:iam::%s:role/lockstep-%s".formatted(a, role),
                                        "arn:aws:sts::%s:assumed-role/lockstep-%s/*".formatted(a, role))))
                        .toList(),
                texts(statements.at("/0/Condition/ArnLike/aws:PrincipalArn")).toList());
    }

    @Test
    void readerRoleReadsManifestsAndPartsAlone() {
        var allowed = new ArrayList<String>();
        for (var statement : CLINIC.resource("production-master-data-source", "AWS::IAM::Policy", "Reader").property("PolicyDocument")
                .get("Statement")) {
            texts(statement.get("Action")).forEach(action -> allowed.add(action + " " + statement.get("Resource")));
        }
        assertEquals(3, allowed.size(), allowed::toString);
        assertTrue(allowed.stream().anyMatch(grant -> grant.matches("s3:GetObject \\[.*/manifests/\\*.*/parts/\\*.*")), allowed::toString);
        assertTrue(allowed.stream().anyMatch(grant -> grant.matches("kms:Decrypt \\{\"Fn::GetAtt\":\\[\"Key\\w+\",\"Arn\"]}")),
                allowed::toString);
        assertTrue(
                allowed.stream().anyMatch(grant -> grant.matches("kms:Verify \\[\".*alias/lockstep-signing\".*SigningKey.*")),
                allowed::toString);
    }

    /** Observers can only read. The restore-start role can also start restores, but has no access to data. */
    @Test
    void oneRoleOfATargetStartsRestores() {
        for (var account : List.of("production", "demo", "qa")) {
            var stack = account + "-master-data-target";
            var observer = actions(CLINIC.resource(stack, "AWS::IAM::Policy", "Observer"));
            var starter = actions(CLINIC.resource(stack, "AWS::IAM::Policy", "RestoreStartDefault"));
            assertEquals(Set.of("lambda:InvokeFunction", "states:DescribeExecution", "states:DescribeMapRun", "states:GetExecutionHistory",
                    "states:ListExecutions", "states:ListMapRuns"), observer);
            assertTrue(starter.remove("states:StartExecution"));
            assertEquals(observer, starter);
            var machine = CLINIC.resources(stack, "AWS::StepFunctions::StateMachine").getFirst().id();
            for (var statement : CLINIC.resource(stack, "AWS::IAM::Policy", "RestoreStartDefault").property("PolicyDocument")
                    .get("Statement")) {
                if (statement.get("Action").asText().equals("states:StartExecution"))
                    assertEquals("{\"Ref\":\"" + machine + "\"}", statement.get("Resource").toString());
            }
        }
    }

    /** The watch reads, publishes metrics, notifies and starts restores, but has no database login. */
    @Test
    void theWatchHasNoSecret() {
        for (var account : List.of("production", "demo", "qa")) {
            var policy = CLINIC.resource(account + "-master-data-target", "AWS::IAM::Policy", "WatchRole");
            assertEquals(Set.of("cloudwatch:PutMetricData", "kms:Decrypt", "kms:GenerateDataKey*", "lambda:InvokeFunction",
                    "logs:CreateLogStream", "logs:PutLogEvents", "sns:Publish",
                    "states:ListExecutions", "states:StartExecution", "sts:AssumeRole"), actions(policy));
            for (var statement : policy.property("PolicyDocument").get("Statement")) {
                if (statement.get("Action").toString().contains("PutMetricData")) {
                    assertEquals("{\"StringLikeIfExists\":{\"cloudwatch:namespace\":[\"Lockstep/master\",\"Lockstep/master/*\"]}}",
                            statement.get("Condition").toString());
                }
            }
        }
    }

    /** The import role uploads a file and starts the machine. Only the function logs in to the database, as the writer. */
    @Test
    void whoImportsPutsFilesAndNothingElse() {
        var stack = "production-master-data-source";
        var importer = actions(CLINIC.resource(stack, "AWS::IAM::Policy", "ImportStart"));
        assertEquals(Set.of("states:DescribeExecution", "states:DescribeMapRun", "states:GetExecutionHistory", "states:ListExecutions",
                "states:ListMapRuns", "states:StartExecution",
                "s3:PutObject", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"), importer);
        for (var statement : CLINIC.resource(stack, "AWS::IAM::Policy", "ImportStart").property("PolicyDocument").get("Statement")) {
            if (texts(statement.get("Action")).anyMatch("s3:PutObject"::equals))
                assertTrue(statement.get("Resource").toString().contains("/imports/*"), statement::toString);
            if (texts(statement.get("Action")).anyMatch("states:StartExecution"::equals))
                assertTrue(statement.get("Resource").toString().contains("{\"Ref\":\"Import"), statement::toString);
        }
        var starter = CLINIC.resource(stack, "AWS::IAM::Policy", "SyncStart").property("PolicyDocument").toString();
        assertFalse(starter.contains("imports/") || starter.contains("Import"), "who starts syncs changes nothing at the source");
    }

    @Test
    void oneFunctionDeletesAndOnlyVersionsOfPartsAndManifests() {
        var may = new TreeSet<String>();
        for (var policy : CLINIC.resources("production-master-data-source", "AWS::IAM::Policy")) {
            for (var statement : policy.property("PolicyDocument").get("Statement")) {
                if (texts(statement.get("Action"))
                        .anyMatch(action -> action.startsWith("s3:Delete") || action.equals("s3:ListBucketVersions"))) {
                    assertTrue(policy.id().startsWith("ManageManifests"), policy::toString);
                    may.add(statement.get("Action").asText());
                    var resources = statement.get("Resource").toString();
                    if (statement.get("Action").asText().equals("s3:DeleteObjectVersion")) {
                        assertTrue(resources.contains("/parts/*") && resources.contains("/manifests/*"), resources);
                        assertEquals(2, statement.get("Resource").size());
                    } else {
                        assertEquals("{\"StringLike\":{\"s3:prefix\":[\"parts/*\",\"manifests/*\"]}}",
                                statement.get("Condition").toString());
                    }
                }
            }
        }
        assertEquals(Set.of("s3:DeleteObjectVersion", "s3:ListBucketVersions"), may);
    }

    private static Set<String> actions(Resource policy) {
        var actions = new TreeSet<String>();
        policy.property("PolicyDocument").get("Statement").forEach(statement -> texts(statement.get("Action")).forEach(actions::add));
        return actions;
    }

    @Test
    void bucketsTopicsAndQueuesWantTls() {
        var guarded = 0;
        for (var type : RESOURCE_POLICIES) {
            for (var policy : CLINIC.resources(type)) {
                var statements = StreamSupport.stream(policy.property("PolicyDocument").get("Statement").spliterator(), false);
                assertTrue(statements.anyMatch(s -> s.get("Effect").asText().equals("Deny")
                        && s.at("/Condition/Bool/aws:SecureTransport").asText().equals("false")), policy::toString);
                guarded++;
            }
        }
        assertEquals(
                Stream.of("AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SQS::Queue").mapToInt(type -> CLINIC.resources(type).size()).sum(),
                guarded);
    }

    @Test
    void everythingAtRestIsEncryptedWithOurKeys() {
        CLINIC.resources("AWS::SNS::Topic").forEach(topic -> assertTrue(topic.property("KmsMasterKeyId").isObject(), topic::toString));
        CLINIC.resources("AWS::SQS::Queue").forEach(queue -> assertTrue(queue.property("KmsMasterKeyId").isObject(), queue::toString));
        CLINIC.resources("AWS::Logs::LogGroup").forEach(
                group -> assertTrue(group.property("KmsKeyId").isObject() && group.property("RetentionInDays").isInt(), group::toString));
        CLINIC.resources("AWS::SecretsManager::Secret")
                .forEach(secret -> assertTrue(secret.property("KmsKeyId").isObject(), secret::toString));
        for (var bucket : CLINIC.resources("AWS::S3::Bucket")) {
            assertEquals(4, StreamSupport.stream(bucket.property("PublicAccessBlockConfiguration").spliterator(), false)
                    .filter(JsonNode::asBoolean).count(), bucket::toString);
        }
        assertTrue(CLINIC.resource("production-master-data-source", "AWS::S3::Bucket", "Bucket").property("BucketEncryption")
                .toString().contains("aws:kms"));
    }

    /** Policies of resources, keys and roles admit only accounts of the landscape, and AWS services with a known source. */
    @Test
    void onlyAccountsOfTheLandscapeAreTrusted() {
        // the last one is this region's load balancer account, for access logs
        var accounts = Pattern.compile("arn:aws:iam::(111111111111|222222222222|333333333333|054676820928):root");
        var policies = Stream.concat(
                RESOURCE_POLICIES.stream().flatMap(type -> CLINIC.resources(type).stream()),
                Stream.of("AWS::KMS::Key", "AWS::IAM::Role").flatMap(type -> CLINIC.resources(type).stream()));
        policies.forEach(resource -> {
            for (var name : List.of("PolicyDocument", "KeyPolicy", "AssumeRolePolicyDocument")) {
                for (var statement : resource.property(name).path("Statement")) {
                    if (statement.get("Effect").asText().equals("Allow")) {
                        assertFalse(statement.get("Principal").isTextual(), resource + " lets anyone in");
                        texts(statement.at("/Principal/AWS"))
                                .forEach(principal -> assertTrue(accounts.matcher(principal).matches(), resource + " " + principal));
                        // DeliveryTest checks trust in identity providers
                        texts(statement.at("/Principal/Federated")).forEach(provider -> assertEquals(
                                "arn:aws:iam::" + accountOf(resource) + ":oidc-provider/gitlab.example.com", provider, resource::toString));
                        // services must name their source, except in trust policies, and for checking a log bucket's ACL
                        texts(statement.at("/Principal/Service"))
                                .filter(service -> !name.equals("AssumeRolePolicyDocument")
                                        && !statement.get("Action").asText().equals("s3:GetBucketAcl"))
                                .forEach(service -> assertTrue(statement.has("Condition"), resource + " " + service));
                    }
                }
            }
        });
        var foreign = CLINIC.resources("AWS::IAM::Role").stream().filter(role -> !role.toString().contains("Reader"))
                .filter(role -> texts(role.property("AssumeRolePolicyDocument").at("/Statement/0/Principal/AWS"))
                        .anyMatch(principal -> !principal.contains(accountOf(role))))
                .toList();
        assertEquals(List.of(), foreign);
    }

    @Test
    void topicMayBeHeardByTargetsAndInboxSpokenToByTheTopicAlone() {
        var subscribe = CLINIC.resource("production-master-data-source", "AWS::SNS::TopicPolicy", "").property("PolicyDocument")
                .get("Statement").get(1);
        assertEquals(List.of("sns:GetTopicAttributes", "sns:Subscribe"), texts(subscribe.get("Action")).toList());
        for (var account : List.of("production", "demo", "qa")) {
            var send = CLINIC.resource(account + "-master-data-target", "AWS::SQS::QueuePolicy", "Inbox").property("PolicyDocument")
                    .get("Statement").get(1);
            assertEquals("arn:aws:sns:eu-central-1:111111111111:lockstep-master-data",
                    send.at("/Condition/ArnEquals/aws:SourceArn").asText());
            assertEquals("sqs:SendMessage", send.get("Action").asText());
        }
    }

    @Test
    void theApplicationsRoleTellsOfInquiriesAtMost() {
        for (var shard : List.of("production-shard-clinic-1", "production-shard-clinic-2", "qa-shard-qa-1")) {
            assertEquals(List.of(),
                    CLINIC.resources(shard, "AWS::IAM::Policy").stream().filter(policy -> policy.id().contains("TaskTaskRole")).toList());
        }
        for (var shard : List.of("demo-shard-demo-1", "qa-shard-qa-demo-1")) {
            assertEquals(Set.of("sns:Publish ApplicationInquiries", "kms:Decrypt Key", "kms:GenerateDataKey* Key"),
                    grants(CLINIC.resource(shard, "AWS::IAM::Policy", "TaskTaskRole")));
        }
    }

    @Test
    void theProxysRoleReadsItsSettingsAlone() {
        for (var stack : List.of("production-production-proxy", "demo-demo-proxy")) {
            assertEquals(
                    Set.of("s3:GetObject ROUTES", "s3:GetObject SettingsBucket/client-authority.pem",
                            "s3:GetObject SettingsBucket/revoked.pem", "s3:GetObject SettingsBucket/routes.json",
                            "s3:ListBucket SettingsBucket", "secretsmanager:GetSecretValue SettingsCertificate", "kms:Decrypt SettingsKey"),
                    grants(CLINIC.resource(stack, "AWS::IAM::Policy", "TaskTaskRole")));
        }
    }

    /** prepare-database creates the logins of reader and writer, and has no access to the application's. */
    @Test
    void prepareDatabaseReadsTheSecretsOfItsUsers() {
        for (var policy : CLINIC.resources("AWS::IAM::Policy").stream().filter(policy -> policy.id().startsWith("PrepareDatabase"))
                .toList()) {
            assertEquals(List.of("admin", "reader", "writer"), secrets(policy), policy::toString);
        }
        assertEquals(3, CLINIC.resources("AWS::IAM::Policy").stream().filter(policy -> policy.id().startsWith("PrepareDatabase")).count());
    }

    /** The function that reports has only the reader's logins. Both use the shards' keys only for these secrets. */
    @Test
    void whoReportsOnShardsLogsInAsTheirReader() {
        for (var account : List.of("production", "demo", "qa")) {
            var stack = account + "-functions";
            assertEquals(List.of("reader"), secrets(CLINIC.resource(stack, "AWS::IAM::Policy", "ReportStatus")));
            for (var policy : CLINIC.resources(stack, "AWS::IAM::Policy")) {
                for (var statement : policy.property("PolicyDocument").get("Statement")) {
                    if (!statement.get("Action").asText().equals("kms:Decrypt")) continue;
                    assertEquals("secretsmanager.eu-central-1.amazonaws.com",
                            statement.at("/Condition/StringEquals/kms:ViaService").asText());
                    assertEquals(secrets(policy), texts(statement.at("/Condition/ArnLike/kms:EncryptionContext:SecretARN"))
                            .map(SecurityTest::user).toList());
                }
            }
        }
    }

    /** Returns the users whose secrets a policy allows to read. */
    private static List<String> secrets(Resource policy) {
        return StreamSupport.stream(policy.property("PolicyDocument").get("Statement").spliterator(), false)
                .filter(statement -> statement.get("Action").asText().equals("secretsmanager:GetSecretValue"))
                .flatMap(statement -> texts(statement.get("Resource"))).map(SecurityTest::user).toList();
    }

    private static String user(String secret) {
        return secret.replaceFirst("arn:aws:secretsmanager:eu-central-1:[0-9]{12}:secret:lockstep/\\*/(\\w+)-\\?{6}", "$1");
    }

    @Test
    void whoReadsTheDatabaseWritesNoManifestAndWhoWritesManifestsSeesNoDatabase() {
        var stack = "production-master-data-source";
        var reads = CLINIC.resource(stack, "AWS::IAM::Policy", "ReadSource").property("PolicyDocument");
        assertFalse(reads.toString().contains("kms:Sign"), reads::toString);
        for (var statement : reads.get("Statement")) {
            if (texts(statement.get("Action")).anyMatch("s3:PutObject"::equals))
                assertFalse(statement.get("Resource").toString().contains("manifests/"), statement::toString);
        }
        var manages = CLINIC.resource(stack, "AWS::IAM::Policy", "ManageManifests").property("PolicyDocument").toString();
        assertTrue(manages.contains("kms:Sign"), manages);
        assertFalse(manages.contains("secretsmanager:") || manages.contains("ec2:CreateNetworkInterface"), manages);
        assertTrue(CLINIC.resource(stack, "AWS::Lambda::Function", "ManageManifests").property("VpcConfig").isMissingNode());
    }

    /** The execution role may write logs, pull from one repository, and read the secrets that the containers name. */
    @Test
    void executionRolesPullAndReadWhatTheTaskNames() {
        var all = Set.of("logs:CreateLogStream Logs", "logs:PutLogEvents Logs", "ecr:GetAuthorizationToken *",
                "ecr:BatchCheckLayerAvailability REPOSITORY", "ecr:BatchGetImage REPOSITORY", "ecr:GetDownloadUrlForLayer REPOSITORY");
        for (var policy : CLINIC.resources("AWS::IAM::Policy").stream().filter(policy -> policy.id().contains("ExecutionRole")).toList()) {
            var expected = new TreeSet<>(all);
            if (policy.id().startsWith("Engine")) expected = all.stream().map(grant -> grant.replaceFirst("Logs$", "EngineLogs"))
                    .collect(Collectors.toCollection(TreeSet::new));
            if (policy.stack().contains("-shard-")) {
                for (var secret : List.of("AdminSecretAttachment", "ApplicationSecretAttachment", "ApplicationSessionKey")) {
                    expected.addAll(List.of("secretsmanager:GetSecretValue " + secret, "secretsmanager:DescribeSecret " + secret));
                }
            }
            assertEquals(expected, grants(policy), policy::toString);
        }
    }

    @Test
    void theDemosLoadBalancerSpeaksModernTlsAndCleanHttp() {
        for (var stack : List.of("demo-demo-proxy", "qa-demo-proxy")) {
            var https = CLINIC.resource(stack, "AWS::ElasticLoadBalancingV2::Listener", "Https");
            assertEquals("ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", https.property("SslPolicy").asText());
            assertEquals("arn:aws:acm:eu-central-1:222222222222:certificate/00000000-0000-0000-0000-000000000001",
                    https.property("Certificates").at("/0/CertificateArn").asText());
            var http = CLINIC.resources(stack, "AWS::ElasticLoadBalancingV2::Listener").stream()
                    .filter(listener -> listener.property("Port").asInt() == 80).findFirst().orElseThrow();
            assertEquals("{\"Port\":\"443\",\"Protocol\":\"HTTPS\",\"StatusCode\":\"HTTP_301\"}",
                    http.property("DefaultActions").at("/0/RedirectConfig").toString());
            var attributes = attributes(CLINIC.resource(stack, "AWS::ElasticLoadBalancingV2::LoadBalancer", ""));
            assertEquals("true", attributes.get("routing.http.drop_invalid_header_fields.enabled"));
            assertEquals("strictest", attributes.get("routing.http.desync_mitigation_mode"));
            assertEquals("true", attributes.get("access_logs.s3.enabled"));
        }
    }

    @Test
    void productionsLoadBalancerPassesTlsAndAddressesThrough() {
        for (var stack : List.of("production-production-proxy", "qa-production-proxy")) {
            var balancer = CLINIC.resource(stack, "AWS::ElasticLoadBalancingV2::LoadBalancer", "");
            assertEquals("network", balancer.property("Type").asText());
            assertEquals("true", attributes(balancer).get("load_balancing.cross_zone.enabled"));
            assertTrue(balancer.property("LoadBalancerAttributes").toString().contains("{\"Key\":\"deletion_protection.enabled\",\"Value\":"
                    + (stack.startsWith("production-") ? "{\"Ref\":\"DeletionProtection\"}" : "\"false\"")), balancer::toString);
            var listener = CLINIC.resource(stack, "AWS::ElasticLoadBalancingV2::Listener", "");
            assertEquals("TCP 443", listener.property("Protocol").asText() + " " + listener.property("Port").asText());
            assertTrue(listener.property("Certificates").isMissingNode());
            var targets = CLINIC.resource(stack, "AWS::ElasticLoadBalancingV2::TargetGroup", "OtherTargets");
            assertEquals("TCP 8443", targets.property("Protocol").asText() + " " + targets.property("Port").asText());
            assertTrue(targets.property("TargetGroupAttributes").toString()
                    .contains("{\"Key\":\"preserve_client_ip.enabled\",\"Value\":\"true\"}"));
        }
    }

    @Test
    void theDemoStandsBehindAWebFirewall() {
        for (var stack : List.of("demo-demo-proxy", "qa-demo-proxy")) {
            var rules = new TreeMap<String, JsonNode>();
            CLINIC.resource(stack, "AWS::WAFv2::WebACL", "").property("Rules").forEach(rule -> rules.put(rule.get("Name").asText(), rule));
            assertEquals(Set.of("AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesCommonRuleSet",
                    "AWSManagedRulesKnownBadInputsRuleSet", "AnyRequest", "SignUp", "Inquiry", "LogIn"), rules.keySet());
            rules.forEach((name, rule) -> assertEquals(
                    name.startsWith("AWS") ? "{\"None\":{}}" : "{\"Block\":{\"CustomResponse\":{\"ResponseCode\":429}}}",
                    rule.path(name.startsWith("AWS") ? "OverrideAction" : "Action").toString(), name));
            var any = rules.get("AnyRequest").at("/Statement/RateBasedStatement");
            assertEquals("IP", any.get("AggregateKeyType").asText());
            Map.of("SignUp", "/signup", "Inquiry", "/inquiry", "LogIn", "/login").forEach((name, path) -> {
                var costly = rules.get(name).at("/Statement/RateBasedStatement");
                assertEquals("IP", costly.get("AggregateKeyType").asText());
                assertTrue(costly.get("Limit").asInt() * 30 < any.get("Limit").asInt(), name);
                assertEquals(List.of("POST", path), elements(costly.at("/ScopeDownStatement/AndStatement/Statements"))
                        .map(match -> match.at("/ByteMatchStatement/SearchString").asText()).toList());
            });
            // 4,000 Japanese characters are 36 KB in a form, and the rule's limit is 8 KB
            assertEquals("[{\"ActionToUse\":{\"Count\":{}},\"Name\":\"SizeRestrictions_BODY\"}]",
                    rules.get("AWSManagedRulesCommonRuleSet").at("/Statement/ManagedRuleGroupStatement/RuleActionOverrides").toString());
            assertEquals("LoadBalancer",
                    name(CLINIC.resource(stack, "AWS::WAFv2::WebACLAssociation", "").property("ResourceArn").get("Ref").asText()));
            assertEquals("[{\"SingleHeader\":{\"Name\":\"authorization\"}},{\"SingleHeader\":{\"Name\":\"cookie\"}}]",
                    CLINIC.resource(stack, "AWS::WAFv2::LoggingConfiguration", "").property("RedactedFields").toString());
        }
        assertEquals(2, CLINIC.resources("AWS::WAFv2::WebACL").size());
    }

    /** A logical id without the CDK's hash suffix. */
    private static String name(String id) {
        return id.replaceFirst("[0-9A-F]{8}$", "");
    }

    /** A reference to this stack or another. */
    private static String group(JsonNode reference) {
        return reference.has("Fn::GetAtt") ? name(reference.at("/Fn::GetAtt/0").asText())
                : reference.get("Fn::ImportValue").asText().replaceFirst(".*:ExportsOutputFnGetAtt(.*?)[0-9A-F]{8}GroupId.*", "$1");
    }

    private static Map<String, String> attributes(Resource balancer) {
        return elements(balancer.property("LoadBalancerAttributes")).filter(attribute -> attribute.get("Value").isTextual())
                .collect(Collectors.toMap(attribute -> attribute.get("Key").asText(), attribute -> attribute.get("Value").asText()));
    }

    /** The pairs of action and resource name that a policy allows. */
    private static Set<String> grants(Resource policy) {
        var grants = new TreeSet<String>();
        for (var statement : policy.property("PolicyDocument").get("Statement")) {
            var resources = statement.get("Resource").isArray() ? elements(statement.get("Resource")).toList()
                    : List.of(statement.get("Resource"));
            texts(statement.get("Action")).forEach(action -> resources.forEach(resource -> grants.add(action + " " + granted(resource))));
        }
        return grants;
    }

    private static String granted(JsonNode resource) {
        if (resource.isTextual()) {
            return resource.asText().replaceFirst("^arn:aws:s3:::cdk-hnb659fds-assets-\\d+-eu-central-1/[0-9a-f]{64}\\.json$", "ROUTES")
                    .replaceFirst("^arn:aws:ecr:eu-central-1:\\d+:repository/cdk-hnb659fds-container-assets-\\d+-eu-central-1$",
                            "REPOSITORY");
        }
        if (resource.has("Fn::Join")) {
            return granted(resource.at("/Fn::Join/1/0")) + resource.at("/Fn::Join/1/1").asText();
        }
        return name(resource.has("Ref") ? resource.get("Ref").asText() : resource.at("/Fn::GetAtt/0").asText())
                .replaceFirst("^(Application|Proxy)Logs$", "Logs");
    }

    private static Stream<JsonNode> elements(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false);
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
