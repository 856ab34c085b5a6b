package lockstep.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Databases and networks that exist already are referred to by ids and ARNs. Nothing of them is created or changed. */
class ExistingTest {
    private static final Assembly EXISTING = Assembly.existing();
    private static final Set<String> TRIAL = EXISTING.templates().keySet().stream().filter(stack -> stack.startsWith("trial-"))
            .collect(Collectors.toCollection(TreeSet::new));

    @Test
    void cdkNagFindsNothingAndNothingIsLookedUp() {
        assertEquals(List.of(), EXISTING.findings());
        assertEquals(List.of(), EXISTING.lookups());
    }

    @Test
    void anAccountForSyncsOnlyHasNeitherDatabaseNorApplicationNorNetwork() throws Exception {
        assertEquals(Set.of("trial-delivery", "trial-functions", "trial-master-data-target", "trial-network", "trial-shard-trial-1"),
                TRIAL);
        var types = new TreeSet<String>();
        for (var stack : TRIAL)
            Assembly.JSON.readTree(EXISTING.templates().get(stack)).get("Resources").forEach(made -> types.add(made.get("Type").asText()));
        assertEquals(Set.of(), types.stream()
                .filter(type -> type.matches("AWS::(RDS|EC2|ElasticLoadBalancingV2|ServiceDiscovery|WAFv2)::.*|AWS::ECS::Service"))
                // the proxies of an edition may come later, and importers of its id would then wait for it
                .filter(type -> !type.startsWith("AWS::EC2::SecurityGroup")).collect(Collectors.toSet()));
    }

    @Test
    void onlyTheEndpointsThatTheNetworkLacksAreCreated() {
        var endpoints = EXISTING.resources("AWS::EC2::VPCEndpoint");
        assertEquals(Set.of("live-network"), endpoints.stream().map(Assembly.Resource::stack).collect(Collectors.toSet()));
        assertEquals(2, endpoints.size());
        var s3 = EXISTING.resource("live-network", "AWS::EC2::VPCEndpoint", "S3");
        assertEquals(List.of("rtb-0aaaaaaaaaaaaaaa1", "rtb-0aaaaaaaaaaaaaaa2"), texts(s3.property("RouteTableIds")));
        var states = EXISTING.resource("live-network", "AWS::EC2::VPCEndpoint", "States");
        assertEquals(List.of("subnet-0aaaaaaaaaaaaaaa1", "subnet-0aaaaaaaaaaaaaaa2"), texts(states.property("SubnetIds")));
    }

    @Test
    void functionsAndTasksAreInTheGivenNetwork() {
        for (var function : EXISTING.resources("AWS::Lambda::Function")) {
            if (!function.body().path("Properties").has("VpcConfig")) continue;
            boolean trial = TRIAL.contains(function.stack());
            assertEquals(subnets(trial ? "b" : "a", 1, 2), texts(function.property("VpcConfig").get("SubnetIds")), function::toString);
            var groups = function.property("VpcConfig").get("SecurityGroupIds");
            if (trial) assertEquals(List.of("sg-0bbbbbbbbbbbbbbbb"), texts(groups), function::toString);
        }
        assertTrue(EXISTING.templates().get("trial-master-data-target").contains("\\\"SecurityGroups\\\":[\\\"sg-0bbbbbbbbbbbbbbbb\\\"]"));
        var clients = EXISTING.resource("live-network", "AWS::EC2::SecurityGroup", "DatabaseClients");
        assertEquals(List.of("10.20.0.0/16:5432", "10.20.0.0/16:6432", "0.0.0.0/0:443"),
                clients.property("SecurityGroupEgress").findParents(
                        "CidrIp").stream().map(rule -> rule.get("CidrIp").asText() + ":" + rule.get("FromPort").asText()).toList());
    }

    @Test
    void aShardThatRunsTheProductIsCreatedInTheGivenNetwork() {
        assertEquals(subnets("a", 1, 2), texts(EXISTING.resources("AWS::RDS::DBSubnetGroup").getFirst().property("SubnetIds")));
        assertEquals(subnets("a", 3, 4),
                texts(EXISTING.resource("live-production-proxy", "AWS::ElasticLoadBalancingV2::LoadBalancer", "").property("Subnets")));
        var registered = EXISTING.resources("AWS::ServiceDiscovery::Service");
        assertEquals(List.of("ns-abcdefgh12345678"), registered.stream().map(made -> made.property("NamespaceId").asText()).toList());
    }

    @Test
    void loginsAreInSecretsOfTheUsualForm() throws Exception {
        var expected = Map.of("trial-shard-trial-1", "db.trial.internal", "live-shard-shop-2",
                "shop.cluster-abc.eu-central-1.rds.amazonaws.com");
        for (var stack : expected.keySet()) {
            var secrets = EXISTING.resources(stack, "AWS::SecretsManager::Secret");
            String shard = stack.replaceAll(".*-shard-", "");
            assertEquals(Stream.of("admin", "reader", "writer").map(user -> "lockstep/" + shard + "/" + user).toList(),
                    secrets.stream().map(secret -> secret.property("Name").asText()).toList());
            for (var secret : secrets) {
                var login = Assembly.JSON.readTree(secret.property("GenerateSecretString").get("SecretStringTemplate").asText());
                assertEquals(expected.get(stack), login.get("host").asText());
                assertEquals(stack.startsWith("trial") ? 5432 : 6432, login.get("port").asInt());
                assertEquals(stack.startsWith("trial"), login.path("sslrootcert").asText().contains("a certificate authority"));
                boolean admin = secret.property("Name").asText().endsWith("admin");
                assertEquals(admin, login.has("masterarn"));
                assertEquals(!admin, login.has("username"));
            }
        }
    }

    @Test
    void onlyTheFunctionThatPreparesDatabasesReadsTheAdministratorsSecret() {
        for (var secret : List.of("secret:rds!cluster-0a1b-AbCdEf", "secret:trial/admin-AbCdEf")) {
            var readers = EXISTING.resources("AWS::IAM::Policy").stream().filter(policy -> policy.body().toString().contains(secret))
                    .map(Assembly.Resource::id).toList();
            assertEquals(1, readers.size(), readers::toString);
            assertTrue(readers.getFirst().startsWith("PrepareDatabase"), readers::toString);
        }
    }

    /** The ids of existing resources appear only where something new is put into them or opens connections to them. */
    @Test
    void nothingThatExistsIsChanged() {
        for (var type : List.of("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"))
            for (var rule : EXISTING.resources(type))
                assertTrue(!rule.property("GroupId").asText().startsWith("sg-"), rule::toString);
        for (var type : List.of("AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::Route", "AWS::EC2::SubnetRouteTableAssociation",
                "AWS::EC2::FlowLog", "AWS::EC2::InternetGateway", "AWS::ServiceDiscovery::PrivateDnsNamespace"))
            assertEquals(List.of(), EXISTING.resources(type));
    }

    private static List<String> subnets(String account, int... numbers) {
        return java.util.Arrays.stream(numbers).mapToObj(number -> "subnet-0" + account.repeat(15) + number).toList();
    }

    private static List<String> texts(JsonNode list) {
        return list.valueStream().map(JsonNode::asText).toList();
    }
}
