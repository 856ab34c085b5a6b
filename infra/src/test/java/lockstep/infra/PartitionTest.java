package lockstep.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import lockstep.landscape.Account;
import lockstep.landscape.Landscape;
import lockstep.landscape.Proxy;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Everything works in each partition, and account by account in its own region and zones. */
class PartitionTest {
    private static Assembly gov;

    /** GovCloud, where the demo has another region and its own zones. */
    private static synchronized Assembly gov() {
        if (gov == null) gov = Assembly.synthesize("us-gov-west-1", landscape("us-gov-west-1", account -> account.name().equals("demo")
                ? in("us-gov-east-1", List.of("us-gov-east-1b", "us-gov-east-1c"), account) : account));
        return gov;
    }

    @Test
    void templatesOfGovCloudNameNoOtherPartition() {
        assertOnly("aws-us-gov", "amazonaws.com", gov());
    }

    @Test
    @Tag("nightly")
    void templatesOfChinaNameNoOtherPartition() {
        assertOnly("aws-cn", "amazonaws.com.cn", Assembly.synthesize("cn-north-1", landscape("cn-north-1", account -> account)));
    }

    private static void assertOnly(String partition, String domain, Assembly assembly) {
        assertEquals(List.of(), assembly.findings());
        var arns = new TreeSet<String>();
        var domains = new TreeSet<String>();
        assembly.templates().forEach((stack, template) -> {
            Pattern.compile("arn:(aws[a-z-]*):").matcher(template).results().forEach(found -> arns.add(found.group(1)));
            // the CDK writes kms:ViaService of secrets with the domain of the partition aws, see docs/limits.md
            Pattern.compile("(?<!secretsmanager)\\.[a-z-]+-\\d\\.(amazonaws\\.com(\\.cn)?)").matcher(template).results()
                    .forEach(found -> domains.add(found.group(1)));
        });
        assertEquals(List.of(partition), List.copyOf(arns));
        assertEquals(List.of(domain), List.copyOf(domains));
        assertTrue(assembly.templates().get("demo-master-data-target").contains(
                "arn:" + partition + ":iam::111111111111:role/lockstep-reader"));
    }

    /** The reader refuses this landscape, because the target could not read the source's bucket. Names and regions are right even so. */
    @Test
    void anAccountMayHaveItsOwnRegionAndZones() {
        var subscription = gov().resources("demo-master-data-target", "AWS::SNS::Subscription").getFirst();
        assertEquals("arn:aws-us-gov:sns:us-gov-west-1:111111111111:lockstep-master-data", subscription.property("TopicArn").asText());
        assertEquals("us-gov-west-1", subscription.property("Region").asText());
        assertTrue(gov().templates().get("demo-master-data-target").contains("lockstep-111111111111-us-gov-west-1-master-data"));
        assertTrue(gov().templates().get("demo-delivery").contains("lockstep-222222222222-us-gov-east-1-releases"));
        assertEquals(List.of("us-gov-east-1b", "us-gov-east-1c"), zones(gov(), "demo-network"));
        assertEquals(List.of("{\"Fn::Select\":[0,{\"Fn::GetAZs\":\"\"}]}", "{\"Fn::Select\":[1,{\"Fn::GetAZs\":\"\"}]}"),
                zones(gov(), "production-network"));
        assertEquals(List.of(), gov().lookups());
    }

    private static List<String> zones(Assembly assembly, String stack) {
        return assembly.resources(stack, "AWS::EC2::Subnet").stream().map(subnet -> subnet.property("AvailabilityZone"))
                .map(zone -> zone.isTextual() ? zone.asText() : zone.toString()).distinct().sorted().toList();
    }

    /** Production and demo, so that it has one of everything. */
    private static Landscape landscape(String region, UnaryOperator<Account> change) {
        var clinic = TestLandscapes.clinic();
        var accounts = clinic.accounts().stream().filter(account -> !account.name().equals("qa"))
                .map(account -> new Account(account.name(), account.id(), account.purpose(), account.shards(),
                        account.proxies().stream().map(proxy -> in(region, proxy)).toList()))
                .map(change).toList();
        return new Landscape(clinic.product(), clinic.release(), region, accounts, clinic.dataSets(), clinic.differences(),
                clinic.delivery(), List.of());
    }

    private static Account in(String region, List<String> zones, Account account) {
        return new Account(account.name(), account.id(), account.purpose(), account.shards(), account.proxies(), account.limits(),
                Optional.of(region), zones, account.network());
    }

    private static Proxy in(String region, Proxy proxy) {
        String partition = region.startsWith("cn-") ? "aws-cn" : region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
        return new Proxy(proxy.edition(), proxy.host(),
                proxy.certificate().map(arn -> arn.replace("arn:aws:acm:eu-central-1", "arn:" + partition + ":acm:" + region)),
                proxy.signUp(), proxy.banner(), proxy.rateLimit());
    }
}
