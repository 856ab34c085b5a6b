package lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import lockstep.assembly.Assembly;
import lockstep.cost.Bill;
import lockstep.cost.Biller;
import lockstep.cost.LoadProfile;
import lockstep.cost.Prices;
import lockstep.landscape.Landscape;
import lockstep.landscape.LandscapeReader;
import lockstep.project.UserFault;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests the cost of infra's synthesized templates. The expected sums are calculated by hand from prices that are easy to multiply. */
class CostCommandTest {
    @TempDir private static Path directory;
    private static Landscape landscape;
    private static Path synthesized;

    @BeforeAll
    static void synthesize() {
        landscape = LandscapeReader.read(SynthesizedProject.FILE);
        synthesized = SynthesizedProject.assembly();
    }

    @Test
    void demoAtRest() {
        var bill = bill("demo", CostCommand.table(null, "eu-central-1"), LoadProfile.rest());
        assertAll(
                () -> assertEquals(0.5 * 730 * 0.14, line(bill, "databases (capacity)").atRest(), 1e-9),
                // a task of the product with 0.5 CPU and 1 GB, and one of the proxy with half of both
                () -> assertEquals(730 * (0.75 * 0.04656 + 1.5 * 0.00511), line(bill, "containers (Fargate, on demand)").atRest(), 1e-9),
                () -> assertEquals(8 * 2 * 730 * 0.012, line(bill, "interface endpoints (hours in each zone)").atRest(), 1e-9),
                () -> assertEquals(730 * 0.027 + 2 * 730 * 0.005, line(bill, "load balancers (hours, addresses, units)").atRest(), 1e-9),
                () -> assertEquals(5 + 7, line(bill, "firewall (list, rules, requests)").atRest(), 1e-9),
                () -> assertEquals(5 * 0.30, line(bill, "metrics of shards").atRest(), 1e-9),
                () -> assertEquals(5, line(bill, "metrics of shards").count()),
                () -> assertTrue(line(bill, "alarms").atRest() > 0.0999 * line(bill, "alarms").count()),
                () -> assertEquals(bill.atRest(), bill.atLoad(), 1e-9));
    }

    /** Counts the resources in the templates independently of the tested code: each is priced, free, or reported as not priced. */
    @Test
    void resourcesOfEachTypeAreAccountedFor() {
        var bill = bill("production", CostCommand.table(null, "eu-central-1"), LoadProfile.named("office"));
        long secrets = count("production", "AWS::SecretsManager::Secret"), keys = count("production", "AWS::KMS::Key"),
                alarms = count("production", "AWS::CloudWatch::Alarm");
        assertTrue(secrets > 5 && keys > 3 && alarms > 10);
        assertAll(
                () -> assertEquals(secrets * 0.40, line(bill, "secrets").atRest(), 1e-9),
                () -> assertEquals(keys, line(bill, "keys").count()),
                () -> assertEquals(alarms, line(bill, "alarms").count()),
                () -> assertEquals(2, line(bill, "databases (capacity)").count()),
                () -> assertEquals(
                        Set.of("AWS::EC2::FlowLog", "AWS::ECS::Cluster", "AWS::Lambda::Function", "AWS::Logs::LogGroup", "AWS::SNS::Topic",
                                "AWS::SQS::Queue", "AWS::StepFunctions::StateMachine"),
                        bill.notPriced().stream().map(Bill.NotPriced::type).collect(Collectors.toSet())),
                () -> assertTrue(bill.atLoad() > bill.atRest()));
    }

    @Test
    void loadIsMultipliedByHoursAndKeptWithinLeastAndMost() throws IOException {
        var load = LoadProfile.named(write("load.yaml",
                "{hoursPerDay: 12, requestsPerSecond: 10, kilobytesPerAnswer: 100, logBytesPerRequest: 1000, tasks: 99, databaseUnits: "
                        + "99, databaseGigabytes: 10, readsPerRequest: 2, bucketGigabytes: 1, lookSeconds: 0}")
                .toString());
        var bill = bill("demo", CostCommand.table(null, "eu-central-1"), load);
        double requests = 10 * 3600 * 365.0, gigabytes = requests * 100 / 1e6;
        assertAll(
                () -> assertEquals((0.5 + 4) * 365 * 0.14, line(bill, "databases (capacity)").atLoad(), 1e-9),
                () -> assertEquals(365 * (1 + 4) * (0.75 * 0.04656 + 1.5 * 0.00511), line(bill, "containers (Fargate, on demand)").atLoad(),
                        1e-9),
                () -> assertEquals(requests * 2 / 1e6 * 0.22, line(bill, "databases (reads and writes)").atLoad(), 1e-9),
                () -> assertEquals(gigabytes * 0.09, line(bill, "transfer to the internet").atLoad(), 1e-6),
                () -> assertEquals(12 + requests / 1e6 * 0.60, line(bill, "firewall (list, rules, requests)").atLoad(), 1e-9));
    }

    /** The database is queried every 15 minutes and is awake for 5 of them. */
    @Test
    void pausingIsWhatRemainsBetweenTheLooks() {
        var saving = bill("demo", CostCommand.table(null, "eu-central-1"), LoadProfile.rest()).pausing().getFirst();
        assertEquals("demo-1", saving.shard());
        assertEquals(730 * 0.5 * 0.14 * 10 / 15, saving.database(), 1e-9);
        assertEquals(730 * (0.5 * 0.04656 + 1 * 0.00511), saving.service(), 1e-9);
        assertTrue(saving.reason().startsWith("stop the application's tasks"), saving.reason());
        assertTrue(bill("production", CostCommand.table(null, "eu-central-1"), LoadProfile.rest()).pausing().stream()
                .allMatch(it -> it.reason().startsWith("its minimum capacity is 0.5, so it never pauses")));
        assertEquals(0, bill("demo", CostCommand.table(null, "eu-central-1"), LoadProfile.named("busy")).pausingSaves());
    }

    @Test
    void unknownTypesAndClassesAreTold() throws IOException {
        Path changed = SynthesizedProject.copiedTo(directory.resolve("changed"));
        Path shard = changed.resolve("demo-shard-demo-1.template.json");
        String text = Files.readString(shard);
        String with = text.replaceFirst("\"Resources\": ?\\{", "$0\"Lake\": {\"Type\": \"AWS::Lake::Water\", \"Properties\": {}},")
                .replace("\"db.serverless\"", "\"db.r7g.large\"");
        assertTrue(with.contains("Water") && with.contains("r7g"));
        Files.writeString(shard, with);
        var demo = landscape.accounts().stream().filter(it -> it.name().equals("demo")).findFirst().orElseThrow();
        var bill = Biller.of(demo, landscape, new Assembly(changed), CostCommand.table(null, "eu-central-1"), LoadProfile.rest());
        assertTrue(bill.notPriced().contains(new Bill.NotPriced("AWS::Lake::Water", 1, "unknown to 'lockstep cost'")),
                bill.notPriced()::toString);
        assertTrue(bill.notPriced().contains(new Bill.NotPriced("AWS::RDS::DBInstance", 1, "class db.r7g.large")),
                bill.notPriced()::toString);
        assertTrue(CostCommand.text(List.of(bill), CostCommand.table(null, "eu-central-1"), LoadProfile.rest())
                .contains("1 × AWS::Lake::Water: unknown to 'lockstep cost'"));
    }

    @Test
    void tableIsDatedAndSaysWhereEachPriceIsFrom() {
        var table = CostCommand.table(null, "eu-central-1");
        table.byName()
                .forEach((name, price) -> assertTrue(price.usd() > 0 && price.source().matches("(https://|AWS Price List API).*"), name));
        assertTrue(table.unverified() > 0 && table.unverified() < table.byName().size());
        assertTrue(CostCommand.text(List.of(), table, LoadProfile.rest()).contains("prices of eu-central-1 on " + table.date()
                + ", on demand; " + table.unverified() + " of " + table.byName().size() + " could not be verified"));
    }

    @Test
    void badInputSaysWhatIsExpected() throws IOException {
        String fields = "hoursPerDay: 1, requestsPerSecond: 1, kilobytesPerAnswer: 1, logBytesPerRequest: 1, tasks: 1, databaseUnits: 1, "
                + "databaseGigabytes: 1, readsPerRequest: 1, bucketGigabytes: 1, lookSeconds: 1";
        assertAll(
                () -> assertFault(() -> LoadProfile.named("often"),
                        "--load is 'often', which is neither a file nor a profile; the profiles are busy, office, rest"),
                () -> assertFault(() -> load("{" + fields.replace("hoursPerDay: 1", "hoursPerDay: 25") + "}"),
                        ": hoursPerDay is '25'; expected a number from 0 to 24"),
                () -> assertFault(() -> load("{" + fields.replace("lookSeconds: 1", "lookSecond: 1") + "}"), ": 'lookSeconds' is missing"),
                () -> assertFault(() -> load("{" + fields + ", colour: red}"), ": 'colour' is not known; expected bucketGigabytes, "),
                () -> assertFault(() -> load("- 1"), ": expected a mapping of names to values, found [1]"),
                () -> assertFault(() -> load("{"), " is not YAML: "),
                () -> assertFault(() -> CostCommand.table(null, "eu-west-1"),
                        "the prices are for eu-central-1, but the landscape's region is eu-west-1: give a price table for it with "
                                + "--prices FILE"),
                () -> assertFault(
                        () -> CostCommand.table(write("p.yaml", "{region: eu-central-1, date: yesterday, prices: {}}"), "eu-central-1"),
                        ": date is 'yesterday'; expected a day such as 2026-11-23"),
                () -> assertFault(
                        () -> CostCommand.table(
                                write("p.yaml", "{region: r, date: 2026-01-01, prices: {a: {usd: -1, source: s, verified: true}}}"), "r"),
                        "prices: a: usd is '-1'; expected a number from 0 to 1000000"),
                () -> assertFault(() -> bill("demo",
                        CostCommand.table(write("p.yaml", "{region: eu-central-1, date: 2026-01-01, prices: {}}"), "eu-central-1"),
                        LoadProfile.rest()), "the price table of 2026-01-01 has no '"));
    }

    private static void assertFault(org.junit.jupiter.api.function.Executable work, String message) {
        var fault = assertThrows(UserFault.class, work);
        assertTrue(fault.getMessage().contains(message), fault.getMessage());
    }

    private static LoadProfile load(String yaml) throws IOException {
        return LoadProfile.named(write("load.yaml", yaml).toString());
    }

    private static Path write(String name, String content) throws IOException {
        return Files.writeString(directory.resolve(name), content);
    }

    private static Bill bill(String account, Prices prices, LoadProfile load) {
        return Biller.of(landscape.accounts().stream().filter(it -> it.name().equals(account)).findFirst().orElseThrow(), landscape,
                new Assembly(synthesized), prices, load);
    }

    private static Bill.Line line(Bill bill, String what) {
        return bill.lines().stream().filter(line -> line.what().equals(what)).findFirst()
                .orElseThrow(() -> new AssertionError(what + " is not among " + bill.lines()));
    }

    private static long count(String account, String type) {
        var owner = landscape.accounts().stream().filter(it -> it.name().equals(account)).findFirst().orElseThrow();
        return new Assembly(synthesized).stacksOf(owner).stream().flatMap(stack -> stack.resources().valueStream())
                .filter(it -> it.path("Type").asString("").equals(type)).count();
    }
}
