package lockstep.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import lockstep.landscape.Account;
import lockstep.landscape.Edition;
import lockstep.landscape.Landscape;
import lockstep.landscape.Purpose;
import lockstep.landscape.Shard;
import org.junit.jupiter.api.Test;

/** Stateful resources are retained in production, and deleted with their stack elsewhere. */
class ProtectionTest {
    private static final List<String> KEPT = List.of("AWS::KMS::Key", "AWS::S3::Bucket", "AWS::SecretsManager::Secret");

    @Test
    void onlyProductionIsProtected() {
        for (var purpose : Purpose.values()) {
            assertEquals(purpose == Purpose.PRODUCTION, Protection.of(purpose).deletion());
        }
        assertEquals(0, Protection.of(Purpose.DEMO).minCapacity(), "pauses when idle");
        assertTrue(Protection.of(Purpose.PRODUCTION).minCapacity() > 0 && Protection.of(Purpose.QA).minCapacity() > 0);
    }

    @Test
    void databases() {
        for (var cluster : Assembly.clinic().resources("AWS::RDS::DBCluster")) {
            var production = cluster.stack().startsWith("production-");
            assertEquals(production ? "{\"Ref\":\"DeletionProtection\"}" : "false", cluster.property("DeletionProtection").toString(),
                    cluster::toString);
            assertEquals(production ? "Snapshot" : "Delete", cluster.body().get("DeletionPolicy").asText(), cluster::toString);
            assertEquals(cluster.stack().startsWith("demo-") ? 0 : 0.5,
                    cluster.property("ServerlessV2ScalingConfiguration").get("MinCapacity").asDouble(), cluster::toString);
            assertTrue(cluster.property("StorageEncrypted").asBoolean() && cluster.property("KmsKeyId").has("Fn::GetAtt"),
                    cluster::toString);
        }
    }

    /** AWS upgrades nothing by itself, and maintains qa and the demo two days before production, never during a backup. */
    @Test
    void databasesAreUpgradedByTheLandscapeAlone() {
        for (var type : List.of("AWS::RDS::DBCluster", "AWS::RDS::DBInstance")) {
            for (var resource : Assembly.clinic().resources(type)) {
                assertEquals("false", resource.property("AutoMinorVersionUpgrade").toString(), resource::toString);
                assertEquals(resource.stack().startsWith("production-") ? "wed:02:00-wed:03:00" : "mon:02:00-mon:03:00",
                        resource.property("PreferredMaintenanceWindow").asText(), resource::toString);
            }
        }
        for (var cluster : Assembly.clinic().resources("AWS::RDS::DBCluster")) {
            assertEquals("17.9", cluster.property("EngineVersion").asText(), cluster::toString);
            assertEquals("00:30-01:00", cluster.property("PreferredBackupWindow").asText(), cluster::toString);
        }
        var shard = new Shard("qa-1", Edition.PRODUCTION, Optional.empty(), Optional.empty(), "18.3", Optional.empty());
        var upgraded = Assembly.synthesize("upgraded", new Landscape(TestLandscapes.PRODUCT, "1.0.0", "eu-central-1",
                List.of(new Account("qa", "333333333333", Purpose.QA, List.of(shard), List.of())), List.of(), List.of()));
        assertEquals("18.3", upgraded.resource("qa-shard-qa-1", "AWS::RDS::DBCluster", "").property("EngineVersion").asText());
        assertEquals("aurora-postgresql18",
                upgraded.resource("qa-shard-qa-1", "AWS::RDS::DBClusterParameterGroup", "").property("Family").asText());
    }

    /** Only production pays for a second instance, which takes over when the first fails. */
    @Test
    void productionsDatabasesHaveAReader() {
        for (var cluster : Assembly.clinic().resources("AWS::RDS::DBCluster"))
            assertEquals(cluster.stack().startsWith("production-") ? 2 : 1,
                    Assembly.clinic().resources(cluster.stack(), "AWS::RDS::DBInstance").size(), cluster::toString);
    }

    @Test
    void keysBucketsAndSecrets() {
        for (var type : KEPT) {
            for (var resource : Assembly.clinic().resources(type)) {
                assertEquals(resource.stack().startsWith("production-") ? "RetainExceptOnCreate" : "Delete",
                        resource.body().get("DeletionPolicy").asText(), resource::toString);
            }
        }
    }

    /** A changed logical id would replace the resource, and delete the old one with its data. */
    @Test
    void logicalIdsOfWhatIsStateful() {
        var shard = Set.of("DatabaseB269D8BB", "Key961B73FD", "AdminSecretB9452750", "ReaderSecret5935E13C", "WriterSecret4C3EB24E",
                "ApplicationSecret25AD4F13", "ApplicationSessionKey55894ACB");
        var proxy = Set.of("SettingsKey6BF8E226", "SettingsAccessLogs59B05E16", "SettingsBucket5103C10B", "SettingsCertificate3734817B");
        var expected = new TreeMap<String, Set<String>>(Map.of(
                "production-master-data-source",
                Set.of("AccessLogs8B620ECA", "Bucket83908E77", "Key961B73FD", "SigningKeyEEFC2790")));
        for (var account : TestLandscapes.clinic().accounts()) {
            expected.put(account.name() + "-network", Set.of("Key961B73FD"));
            expected.put(account.name() + "-delivery",
                    Set.of("Key961B73FD", "AccessLogs8B620ECA", "ReleasesE6BA3EBF", "NotificationsWebhookEDE19EC4"));
            expected.put(account.name() + "-master-data-target", Set.of("Key961B73FD"));
            account.proxies().forEach(each -> expected.put(account.name() + "-" + each.edition().word() + "-proxy", proxy));
            account.shards().forEach(each -> expected.put(account.name() + "-shard-" + each.name(), shard));
        }
        var ids = new TreeMap<String, Set<String>>();
        Stream.concat(Stream.of("AWS::RDS::DBCluster"), KEPT.stream()).flatMap(type -> Assembly.clinic().resources(type).stream())
                .forEach(resource -> ids.computeIfAbsent(resource.stack(), stack -> new TreeSet<>()).add(resource.id()));
        assertEquals(expected, ids);
    }

    /** An imported export can't be removed, and any shard may become the source or a target later. */
    @Test
    void everyShardExportsTheSame() {
        var shards = Assembly.clinic().templates().keySet().stream().filter(stack -> stack.contains("-shard-")).toList();
        assertEquals(5, shards.size());
        assertEquals(1, shards.stream().map(Assembly.clinic()::exports).distinct().count());
    }
}
