package lockstep.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import lockstep.infra.Assembly.Resource;
import lockstep.landscape.Landscape;
import lockstep.landscape.Product;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The tasks of shards and proxies: their containers, configuration, deployment and shutdown. */
class ServiceTest {
    private static final Assembly CLINIC = Assembly.clinic();
    /** Seconds between Fargate's notice that it reclaims Spot capacity and the end of the task. */
    private static final int SPOT_NOTICE = 120;
    /** Seconds during which a network load balancer may open connections to a deregistered target (aws/containers-roadmap#470). */
    private static final int NETWORK_BALANCER_LETS_GO = 120;
    /** Seconds that a gateway keeps an idle connection to an application; the default of GATEWAY_UPSTREAM_IDLE. */
    private static final int GATEWAY_KEEPS = 20;

    @Test
    void containersAreConfined() {
        var containers = CLINIC.resources("AWS::ECS::TaskDefinition").stream()
                .flatMap(task -> elements(task.property("ContainerDefinitions"))).toList();
        assertEquals(5 * 2 + 4 * 3 + 4, containers.size());
        for (var container : containers) {
            assertFalse(container.get("Privileged").asBoolean(true), container::toString);
            assertTrue(container.get("ReadonlyRootFilesystem").asBoolean(), container::toString);
            assertEquals("10001:10001", container.get("User").asText());
            assertEquals("{\"Capabilities\":{\"Drop\":[\"ALL\"]}}", container.get("LinuxParameters").toString());
            assertEquals("non-blocking", container.at("/LogConfiguration/Options/mode").asText());
        }
        for (var task : CLINIC.resources("AWS::ECS::TaskDefinition")) {
            task.property("Volumes").forEach(volume -> assertEquals(1, volume.size(), () -> task + " mounts more than scratch space"));
        }
    }

    @ParameterizedTest
    @CsvSource({"production-shard-clinic-1, production, clinic-1", "demo-shard-demo-1, demo, demo-1", "qa-shard-qa-1, production, qa-1",
            "qa-shard-qa-demo-1, demo, qa-demo-1"})
    void applicationsMigrateBeforeTheyServe(String stack, String edition, String shard) {
        var task = CLINIC.resource(stack, "AWS::ECS::TaskDefinition", "Application");
        var migrate = container(task, "migrate");
        assertFalse(migrate.get("Essential").asBoolean(true));
        assertEquals("[\"migrate\"]", migrate.get("Command").toString());
        assertEquals(List.of("ADMIN_SECRET", "APPLICATION_SECRET"), secrets(migrate));
        var clinic = container(task, "clinic");
        assertEquals("[{\"Condition\":\"SUCCESS\",\"ContainerName\":\"migrate\"}]", clinic.get("DependsOn").toString());
        assertEquals(List.of("DATABASE_SECRET", "SESSION_KEY"), secrets(clinic));
        var environment = environment(clinic);
        assertEquals(edition, environment.get("EDITION"));
        assertEquals(shard, environment.get("SHARD"));
        assertEquals(edition.equals("demo") ? "PT168H" : null, environment.get("TENANTS_EXPIRE_AFTER"));
        assertEquals(edition.equals("demo"), environment.containsKey("INQUIRY_TOPIC_ARN"));
        assertEquals(shard, CLINIC.resource(stack, "AWS::ServiceDiscovery::Service", "Application").property("Name").asText());
        assertTrue(stream(CLINIC.resource(stack, "AWS::ECS::Service", "Application").body().get("DependsOn"))
                .anyMatch(name -> name.startsWith("DatabaseWriter")), "there is a database to migrate");
    }

    @Test
    void anotherProductHasItsNamePortAndExistingImage() {
        var clinic = TestLandscapes.clinic();
        var image = "222222222222.dkr.ecr.eu-central-1.amazonaws.com/shops/order-desk@sha256:" + "0a".repeat(32);
        var product = new Product("order-desk", Path.of(""), new Product.Existing(image), 9443, "/up",
                new Product.Commands(List.of("run"), List.of("upgrade", "--all"), List.of(), List.of(), List.of()), Optional.empty(),
                Optional.empty(), List.of());
        var assembly = Assembly.synthesize("order-desk",
                new Landscape(product, clinic.release(), clinic.region(), clinic.accounts(), clinic.dataSets(), List.of()));
        var task = assembly.resource("demo-shard-demo-1", "AWS::ECS::TaskDefinition", "Application");
        var serve = container(task, "order-desk");
        assertEquals("[\"run\"]", serve.get("Command").toString());
        assertEquals("[\"upgrade\",\"--all\"]", container(task, "migrate").get("Command").toString());
        assertEquals("[{\"ContainerPort\":9443,\"Protocol\":\"tcp\"}]", serve.get("PortMappings").toString());
        assertEquals("9443", environment(serve).get("PORT"));
        assertEquals("/opt/order-desk/rds-ca-bundle.pem", environment(serve).get("DATABASE_SSL_ROOT"));
        assertEquals("{\"Fn::Join\":[\"\",[\"222222222222.dkr.ecr.eu-central-1.\",{\"Ref\":\"AWS::URLSuffix\"},"
                + "\"/shops/order-desk@sha256:" + "0a".repeat(32) + "\"]]}", serve.get("Image").toString());
        assertTrue(assembly.templates().get("demo-shard-demo-1")
                .contains("arn:aws:ecr:eu-central-1:222222222222:repository/shops/order-desk"));
        assertEquals(List.of(), assembly.findings());
        assertEquals("9443", assembly.resource("demo-network", "AWS::EC2::SecurityGroup", "demoOrderDeskClients")
                .property("SecurityGroupEgress").get(0).get("ToPort").asText());
        assertFalse(assembly.templates().values().stream().anyMatch(template -> template.contains("ClinicClients")));
    }

    @Test
    void whatAProxyReadsWhileItRuns() {
        var production = environment(container(proxyTask("qa-production-proxy"), "settings"));
        var demo = environment(container(proxyTask("qa-demo-proxy"), "settings"));
        assertEquals(List.of("AWS_REGION", "CERTIFICATE_SECRET_ARN", "CLIENT_AUTHORITY", "REVOCATION_LIST", "ROUTES_DEFAULT",
                "ROUTES_OVERRIDES", "SETTINGS_DIRECTORY"), List.copyOf(production.keySet()));
        assertEquals(List.of("AWS_REGION", "CERTIFICATE_SECRET_ARN", "ROUTES_DEFAULT", "ROUTES_OVERRIDES", "SETTINGS_DIRECTORY"),
                List.copyOf(demo.keySet()));
        assertTrue(production.get("CLIENT_AUTHORITY").matches(".*\"s3://\",\\{\"Ref\":\"SettingsBucket\\w+\"},\"/client-authority.pem\".*"),
                production::toString);
    }

    @Test
    void flagsOfTheGateway() {
        var demo = environment(container(proxyTask("demo-demo-proxy"), "gateway"));
        assertEquals("open", demo.get("GATEWAY_SIGN_UP"));
        assertEquals("This is a demo.", demo.get("GATEWAY_BANNER"));
        assertEquals("20", demo.get("GATEWAY_RATE_LIMIT"));
        var production = environment(container(proxyTask("production-production-proxy"), "gateway"));
        assertEquals("closed", production.get("GATEWAY_SIGN_UP"));
        assertFalse(production.containsKey("GATEWAY_BANNER"));
        assertEquals("200", production.get("GATEWAY_RATE_LIMIT"));
    }

    /** Otherwise any client could forge its address. */
    @Test
    void onlyTheDemosLoadBalancerMayNameTheClient() {
        assertEquals("10.0.0.0/16", environment(container(proxyTask("demo-demo-proxy"), "nginx")).get("TRUSTED_PROXIES"));
        assertFalse(environment(container(proxyTask("production-production-proxy"), "nginx")).containsKey("TRUSTED_PROXIES"));
    }

    /** gateway and settings share one image; nginx has its own. */
    @Test
    void programsOfAProxy() {
        var task = proxyTask("demo-demo-proxy");
        assertEquals("[\"./settings\"]", container(task, "settings").get("Command").toString());
        assertEquals("[\"./gateway\"]", container(task, "gateway").get("Command").toString());
        assertEquals(container(task, "settings").get("Image"), container(task, "gateway").get("Image"));
        assertFalse(container(task, "nginx").has("Command"));
    }

    @Test
    void containersOfAProxyMeetInTheirVolumes() {
        for (var stack : List.of("production-production-proxy", "demo-demo-proxy")) {
            var task = proxyTask(stack);
            assertEquals(Map.of("/run/settings", false), mounts(container(task, "settings")));
            assertEquals(Map.of("/run/settings", true, "/run/gateway", false), mounts(container(task, "gateway")));
            assertEquals(Map.of("/run/settings", true, "/run/gateway", true, "/tmp", false), mounts(container(task, "nginx")));
            assertEquals("unix:" + environment(container(task, "nginx")).get("GATEWAY_SOCKET"),
                    environment(container(task, "gateway")).get("GATEWAY_LISTEN"));
        }
    }

    @Test
    void routesLeadToTheShardsOfTheEditionAlone() throws IOException {
        assertEquals(Assembly.JSON.readTree("""
                {"edition": "production", "default": "clinic-1", "tenantRules": [{"cookie": "tenant"}],
                 "hosts": {"clinic.example": "clinic-1", "clinic-1.clinic.example": "clinic-1", "clinic-2.clinic.example": "clinic-2"},
                 "shards": {"clinic-1": {"upstream": "https://clinic-1.clinic.internal:8443", "health": "/health"},
                            "clinic-2": {"upstream": "https://clinic-2.clinic.internal:8443", "health": "/health"}}}"""),
                routes("production-production-proxy"));
        assertEquals(Assembly.JSON.readTree("""
                {"edition": "demo", "default": "qa-demo-1", "tenantRules": [{"cookie": "tenant"}],
                 "hosts": {"qa-demo.clinic.example": "qa-demo-1", "qa-demo-1.qa-demo.clinic.example": "qa-demo-1"},
                 "shards": {"qa-demo-1": {"upstream": "https://qa-demo-1.clinic.internal:8443", "health": "/health"}}}"""),
                routes("qa-demo-proxy"));
    }

    /** The routes use the zone in which the applications are registered. */
    @Test
    void namesOfTheRoutesAreInThePrivateZone() {
        CLINIC.resources("AWS::ServiceDiscovery::PrivateDnsNamespace")
                .forEach(zone -> assertEquals("clinic.internal", zone.property("Name").asText()));
        CLINIC.resources("AWS::ServiceDiscovery::PrivateDnsNamespace")
                .forEach(zone -> assertEquals(5, zone.property("Properties").at("/DnsProperties/SOA/TTL").asInt()));
        assertEquals(3, CLINIC.resources("AWS::ServiceDiscovery::PrivateDnsNamespace").size());
    }

    @Test
    void failedDeploymentsGoBack() {
        var services = CLINIC.resources("AWS::ECS::Service");
        assertEquals(9, services.size());
        for (var service : services) {
            assertEquals("{\"Enable\":true,\"Rollback\":true}",
                    service.property("DeploymentConfiguration").get("DeploymentCircuitBreaker").toString(), service::toString);
            assertEquals(100, service.property("DeploymentConfiguration").get("MinimumHealthyPercent").asInt(), service::toString);
            assertTrue(service.property("DesiredCount").isMissingNode(), () -> service + " would undo its scaling at each deployment");
        }
        assertEquals(9, CLINIC.resources("AWS::ApplicationAutoScaling::ScalableTarget").size());
    }

    /** Behind a load balancer, new tasks start beside the old ones. Both target groups are alike, because each deployment swaps them. */
    @Test
    void newTasksAreTriedBeforeOldOnesGo() {
        for (var service : CLINIC.resources("AWS::ECS::Service")) {
            var deployment = service.property("DeploymentConfiguration");
            assertEquals("{\"Enable\":true,\"Rollback\":true}",
                    deployment.get("Alarms").toString().replaceFirst("\"AlarmNames\":\\[.*],", ""), service::toString);
            for (var alarm : deployment.at("/Alarms/AlarmNames")) {
                assertTrue(CLINIC.resources(service.stack(), "AWS::CloudWatch::Alarm").stream()
                        .anyMatch(known -> known.id().equals(alarm.get("Ref").asText())), service::toString);
            }
            if (!service.stack().endsWith("-proxy")) {
                assertTrue(deployment.path("Strategy").isMissingNode(), service::toString);
                continue;
            }
            var demo = service.stack().contains("demo-proxy");
            assertEquals(demo ? "CANARY" : "BLUE_GREEN", deployment.get("Strategy").asText(), service::toString);
            assertEquals(5, deployment.get("BakeTimeInMinutes").asInt());
            if (demo)
                assertEquals("{\"CanaryBakeTimeInMinutes\":5,\"CanaryPercent\":10}", deployment.get("CanaryConfiguration").toString());
            var other = service.property("LoadBalancers").get(0).get("AdvancedConfiguration");
            var groups = CLINIC.resources(service.stack(), "AWS::ElasticLoadBalancingV2::TargetGroup");
            assertEquals(2, groups.size());
            assertEquals(groups.get(0).body().get("Properties"), groups.get(1).body().get("Properties"), service::toString);
            assertTrue(groups.stream().anyMatch(
                    group -> group.id().startsWith("OtherTargets") && group.id().equals(other.at("/AlternateTargetGroupArn/Ref").asText())),
                    service::toString);
            // ECS refuses a target group that no listener routes to
            var routed = demo
                    ? CLINIC.resource(service.stack(), "AWS::ElasticLoadBalancingV2::ListenerRule", "Everything").property("Actions")
                    : CLINIC.resource(service.stack(), "AWS::ElasticLoadBalancingV2::Listener", "LoadBalancerHttps")
                            .property("DefaultActions");
            assertEquals(groups.stream().map(Resource::id).sorted().toList(), elements(routed.at("/0/ForwardConfig/TargetGroups"))
                    .map(group -> group.at("/TargetGroupArn/Ref").asText()).sorted().toList(), service::toString);
            assertTrue(other.get("ProductionListenerRule").get("Ref").asText().startsWith(demo ? "Everything" : "LoadBalancerHttps"),
                    other::toString);
            assertTrue(stream(service.body().get("DependsOn")).anyMatch(name -> name.startsWith("ShiftingRoleDefaultPolicy")),
                    service::toString);
        }
    }

    /** An application and production's nginx count failures in their own logs, where the gateway's lines do not count. */
    @Test
    void failedRequestsInLogsRaiseAnAlarm() {
        var filters = CLINIC.resources("AWS::Logs::MetricFilter").stream()
                .filter(filter -> filter.property("FilterPattern").asText().contains("$.status")).toList();
        assertEquals(5 + 2, filters.size());
        for (var filter : filters) {
            var proxy = filter.stack().endsWith("-proxy");
            assertEquals(proxy ? "{ ($.status >= 500) && ($.server = \"*\") }" : "{ $.status >= 500 }",
                    filter.property("FilterPattern").asText());
            var alarm = CLINIC.resource(filter.stack(), "AWS::CloudWatch::Alarm", proxy ? "FailingAlarm" : "ApplicationFailing");
            assertEquals(filter.property("MetricTransformations").get(0).get("MetricNamespace"), alarm.property("Namespace"));
        }
    }

    /** An alarm keeps its state while nothing is measured: a certificate gets no younger when a task stops. */
    @Test
    void certificatesAndListsWarnBeforeTheyExpire() throws IOException {
        assertEquals(List.of("ClientAuthority < 14", "ClientAuthority < 3", "ClientAuthority < 30", "RevocationList < 0",
                "RevocationList < 25", "ServerCertificate < 14", "ServerCertificate < 3", "ServerCertificate < 30"),
                expiry("production-production-proxy"));
        assertEquals(List.of("DaysToExpiry < 14", "DaysToExpiry < 3", "DaysToExpiry < 30"), expiry("demo-demo-proxy"));
        var keeper = Files.readString(Path.of("../proxy/settings/keeper.go"));
        for (var filter : CLINIC.resources("production-production-proxy", "AWS::Logs::MetricFilter")) {
            if (filter.property("FilterPattern").asText().contains("$.status"))
                continue;
            var counted = filter.property("FilterPattern").asText()
                    + filter.property("MetricTransformations").get(0).get("MetricValue").asText();
            assertTrue(counted.matches("\\{ \\$.expires = \"(server|client-authority|revoked)\\.pem\" }\\$\\.(days|percent)"), counted);
            // what the log has
            for (var word : List.of(counted.replaceAll(".*= (\"[^\"]+\").*", "$1"), "\"" + counted.replaceAll(".*\\.", "") + "\"",
                    "\"expires\""))
                assertTrue(keeper.contains(word), word);
        }
    }

    private static List<String> expiry(String stack) {
        return CLINIC.resources(stack, "AWS::CloudWatch::Alarm").stream().filter(alarm -> alarm.id().startsWith("Expiry")).map(alarm -> {
            assertEquals("LessThanThreshold ignore Minimum",
                    "%s %s %s".formatted(alarm.property("ComparisonOperator").asText(), alarm.property("TreatMissingData").asText(),
                            alarm.property("Statistic").asText()));
            assertTrue(alarm.property("AlarmActions").get(0).get("Fn::ImportValue").asText().contains("Operations"), alarm::toString);
            return alarm.property("MetricName").asText() + " < " + alarm.property("Threshold").asText();
        }).sorted().toList();
    }

    /** Of nothing no metric tells, so missing data counts as an outage, once the service has been up. */
    @Test
    void anOutageRaisesAnAlarm() {
        for (var service : CLINIC.resources("AWS::ECS::Service")) {
            var alarm = CLINIC.resource(service.stack(), "AWS::CloudWatch::Alarm", "OutageAlarm");
            assertEquals("breaching", alarm.property("TreatMissingData").asText());
            assertEquals("LessThanThreshold", alarm.property("ComparisonOperator").asText());
            assertEquals(1, alarm.property("Threshold").asInt());
            assertEquals(1, alarm.property("AlarmActions").size());
            assertTrue(stream(alarm.body().get("DependsOn")).anyMatch(service.id()::equals), () -> alarm + " would begin in ALARM");
            if (!service.stack().endsWith("-proxy")) {
                assertEquals("RunningTaskCount", alarm.property("MetricName").asText());
                continue;
            }
            assertEquals(3, alarm.property("EvaluationPeriods").asInt(), "the newest minute may have no data yet");
            assertEquals(Set.of("FILL(targets, 0) + FILL(others, 0)", "Targets", "OtherTargets"),
                    elements(alarm.property("Metrics")).map(metric -> metric.has("Expression") ? metric.get("Expression").asText()
                            : elements(metric.at("/MetricStat/Metric/Dimensions"))
                                    .filter(dimension -> dimension.get("Name").asText().equals("TargetGroup"))
                                    .map(dimension -> dimension.at("/Value/Fn::GetAtt/0").asText().replaceAll("[0-9A-F]{8}$", ""))
                                    .findFirst().orElseThrow())
                            .collect(Collectors.toSet()));
        }
        for (var stack : List.of("demo-demo-proxy", "qa-demo-proxy")) {
            var failing = CLINIC.resource(stack, "AWS::CloudWatch::Alarm", "BalancerFailing");
            assertEquals("HTTPCode_ELB_5XX_Count", failing.property("MetricName").asText());
        }
    }

    /** Only the alarms above need data, and freshness, which says so once there was some; so the first day is quiet. */
    @Test
    void beforeTheFirstSyncNoAlarmGoesOff() {
        for (var alarm : CLINIC.resources("AWS::CloudWatch::Alarm")) {
            if (alarm.id().contains("OutageAlarm") || alarm.id().startsWith("Expiry")) continue;
            var freshness = alarm.id().contains("FreshnessAlarm");
            assertEquals(freshness ? "missing" : "notBreaching", alarm.property("TreatMissingData").asText(), alarm::toString);
            assertEquals(freshness ? 1 : 0, alarm.property("InsufficientDataActions").size(), alarm::toString);
        }
    }

    @Test
    void onlyTheDemoMayLoseItsTasksToOthers() {
        for (var service : CLINIC.resources("AWS::ECS::Service")) {
            var demo = service.stack().contains("demo-");
            assertEquals(demo
                    ? "[{\"Base\":1,\"CapacityProvider\":\"FARGATE\",\"Weight\":1},{\"CapacityProvider\":\"FARGATE_SPOT\",\"Weight\":4}]"
                    : "[{\"CapacityProvider\":\"FARGATE\",\"Weight\":1}]", service.property("CapacityProviderStrategy").toString(),
                    service::toString);
        }
        CLINIC.resources("AWS::ECS::Cluster")
                .forEach(cluster -> assertEquals("[\"FARGATE\",\"FARGATE_SPOT\"]", cluster.property("CapacityProviders").toString()));
    }

    @Test
    void aProxyThatDoesNotAnswerIsTold() {
        for (var stack : List.of("production-production-proxy", "demo-demo-proxy")) {
            var groups = new java.util.TreeSet<String>();
            for (var alarm : CLINIC.resources(stack, "AWS::CloudWatch::Alarm").stream().filter(alarm -> alarm.id().contains("Unhealthy"))
                    .toList()) {
                assertEquals("UnHealthyHostCount Minimum 300 0",
                        "%s %s %s %s".formatted(alarm.property("MetricName").asText(), alarm.property("Statistic").asText(),
                                alarm.property("Period").asText(), alarm.property("Threshold").asText()));
                assertTrue(alarm.property("AlarmActions").get(0).get("Fn::ImportValue").asText().contains("Operations"), alarm::toString);
                groups.add(elements(alarm.property("Dimensions")).filter(d -> d.get("Name").asText().equals("TargetGroup")).findFirst()
                        .orElseThrow().at("/Value/Fn::GetAtt/0").asText());
            }
            assertEquals(CLINIC.resources(stack, "AWS::ElasticLoadBalancingV2::TargetGroup").stream().map(Resource::id)
                    .collect(java.util.stream.Collectors.toSet()), groups, stack);
        }
    }

    /**
     * Load balancer, nginx and gateway drain one after the other, each within its timeout, and all of them before a Spot
     * task is killed. A container is stopped before those that it depends on.
     */
    @ParameterizedTest
    @ValueSource(strings = {"production-production-proxy", "qa-production-proxy", "demo-demo-proxy", "qa-demo-proxy"})
    void drainTimesFitTogether(String stack) {
        var task = proxyTask(stack);
        var settings = container(task, "settings");
        var gateway = container(task, "gateway");
        var nginx = container(task, "nginx");
        assertEquals("[{\"Condition\":\"HEALTHY\",\"ContainerName\":\"settings\"}]", gateway.get("DependsOn").toString());
        assertEquals(
                "[{\"Condition\":\"HEALTHY\",\"ContainerName\":\"settings\"},{\"Condition\":\"HEALTHY\",\"ContainerName\":\"gateway\"}]",
                nginx.get("DependsOn").toString());

        var deregistration = elements(
                CLINIC.resource(stack, "AWS::ElasticLoadBalancingV2::TargetGroup", "OtherTargets").property("TargetGroupAttributes"))
                .filter(attribute -> attribute.get("Key").asText().equals("deregistration_delay.timeout_seconds")).findFirst().orElseThrow()
                .get("Value").asInt();
        var nginxDrain = Integer.parseInt(environment(nginx).get("DRAIN_TIMEOUT"));
        var gatewayDrain = Stream.of("GATEWAY_DRAIN_DELAY", "GATEWAY_DRAIN_TIMEOUT")
                .mapToInt(name -> Integer.parseInt(environment(gateway).get(name).replaceFirst("s$", ""))).sum();
        var nginxDelay = Integer.parseInt(environment(nginx).getOrDefault("DRAIN_DELAY", "0"));
        assertTrue(nginxDelay + nginxDrain < nginx.get("StopTimeout").asInt(), "nginx is killed while it drains");
        assertTrue(gatewayDrain < gateway.get("StopTimeout").asInt(), "the gateway is killed while it drains");
        if (stack.contains("demo-")) {
            var all = deregistration
                    + Stream.of(nginx, gateway, settings).mapToInt(container -> container.get("StopTimeout").asInt()).sum();
            assertTrue(all <= SPOT_NOTICE, () -> "takes up to " + all + " s");
            assertTrue(nginxDelay >= deregistration, "a Spot task is told to stop before the load balancer lets go of it");
        } else {
            assertTrue(deregistration >= NETWORK_BALANCER_LETS_GO, () -> "is stopped after " + deregistration + " s");
        }
    }

    /** A gateway that resolved the name just before the task was told to stop can still connect. */
    @Test
    void applicationsOutliveTheirNames() {
        for (var name : CLINIC.resources("AWS::ServiceDiscovery::Service")) {
            var ttl = name.property("DnsConfig").at("/DnsRecords/0/TTL").asInt();
            var clinic = container(CLINIC.resource(name.stack(), "AWS::ECS::TaskDefinition", "Application"), "clinic");
            var drain = Duration.parse(environment(clinic).get("DRAIN_DELAY")).toSeconds();
            assertTrue(ttl + GATEWAY_KEEPS <= drain, name::toString);
            assertTrue(drain < clinic.get("StopTimeout").asInt(), name::toString);
        }
    }

    @Test
    void eachEditionHasItsStageOfTheSameContext() throws IOException {
        assertEquals(List.of("null", "production"), stages("qa-production-proxy"));
        assertEquals(List.of("demo", "null"), stages("qa-demo-proxy"));
    }

    /** Tasks must survive an outage of the database, because replacements could not start before it is back. */
    @Test
    void aDatabaseThatIsAwayEndsNoTask() {
        for (var task : CLINIC.resources("AWS::ECS::TaskDefinition").stream().filter(task -> task.stack().contains("-shard-")).toList()) {
            assertTrue(container(task, "clinic").get("HealthCheck").get("Command").get(1).asText().contains("/alive"), task::toString);
        }
    }

    /** Otherwise the first deployment of an account may be denied its secrets, and be rolled back. */
    @Test
    void servicesWaitForWhatTheirTasksMayDo() {
        for (var service : CLINIC.resources("AWS::ECS::Service")) {
            assertTrue(stream(service.body().get("DependsOn")).anyMatch(name -> name.contains("TaskExecutionRoleDefaultPolicy")),
                    service::toString);
        }
    }

    /** On Fargate, an empty volume belongs to root unless the image has a directory with another owner at the same path. */
    @Test
    void imagesOwnTheVolumesOfTheirContainers() throws IOException {
        for (var task : CLINIC.resources("AWS::ECS::TaskDefinition")) {
            for (var container : elements(task.property("ContainerDefinitions")).toList()) {
                var file = switch (container.get("Name").asText()) {
                    case "migrate", "clinic" -> Path.of("..", "examples", "clinic", "Dockerfile");
                    case "settings", "gateway" -> Path.of("..", "proxy", "Dockerfile");
                    case "engine" -> Path.of("..", "lambdas", "Dockerfile");
                    case "nginx" -> Path.of("..", "proxy", "nginx", "Dockerfile");
                    case String other -> throw new AssertionError(other);
                };
                var volumes = Files.readAllLines(file).stream().filter(line -> line.startsWith("VOLUME ")).findFirst().orElse("");
                mounts(container).keySet()
                        .forEach(path -> assertTrue(volumes.contains('"' + path + '"'), () -> file + " has no volume " + path));
            }
        }
    }

    private static List<String> stages(String stack) throws IOException {
        var assets = Assembly.JSON.readTree(Path.of("target", "cdk.out", "clinic", stack + ".assets.json").toFile());
        return elements(assets.get("dockerImages")).map(image -> image.get("source"))
                .peek(source -> assertEquals("linux/amd64", source.get("platform").asText()))
                .map(source -> source.path("dockerBuildTarget").asText("null")).sorted().toList();
    }

    private static Resource proxyTask(String stack) {
        return CLINIC.resource(stack, "AWS::ECS::TaskDefinition", "Proxy");
    }

    private static JsonNode routes(String stack) throws IOException {
        var key = environment(container(proxyTask(stack), "settings")).get("ROUTES_DEFAULT").replaceFirst(".*/", "");
        return Assembly.JSON.readTree(Files.readString(Path.of("target", "cdk.out", "clinic", "asset." + key)));
    }

    private static JsonNode container(Resource task, String name) {
        return elements(task.property("ContainerDefinitions")).filter(container -> container.get("Name").asText().equals(name)).findFirst()
                .orElseThrow();
    }

    /** JSON values that are assembled during the deployment. */
    private static Map<String, String> environment(JsonNode container) {
        var environment = new TreeMap<String, String>();
        container.get("Environment").forEach(entry -> environment.put(entry.get("Name").asText(),
                entry.get("Value").isTextual() ? entry.get("Value").asText() : entry.get("Value").toString()));
        return environment;
    }

    private static List<String> secrets(JsonNode container) {
        return elements(container.get("Secrets")).map(secret -> secret.get("Name").asText()).toList();
    }

    private static Map<String, Boolean> mounts(JsonNode container) {
        var mounts = new TreeMap<String, Boolean>();
        container.get("MountPoints").forEach(mount -> mounts.put(mount.get("ContainerPath").asText(), mount.get("ReadOnly").asBoolean()));
        return mounts;
    }

    private static Stream<String> stream(JsonNode texts) {
        return elements(texts).map(JsonNode::asText);
    }

    private static Stream<JsonNode> elements(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false);
    }
}
