package lockstep.landscape;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.networknt.schema.InputFormat;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Tests the files at the root of the repository: lockstep.yaml and its schema for editors. */
class ShippedLandscapeTest {
    private static final Path FILE = Path.of("../lockstep.yaml");
    private static final Path SCHEMA = Path.of("../lockstep.schema.json");

    @Test
    void theReaderTakesTheShippedFile() {
        var landscape = LandscapeReader.read(FILE);
        Path clinic = Path.of("../examples/clinic").toAbsolutePath().normalize();
        assertEquals(new Product("clinic", clinic, new Product.Built(clinic.resolve("target/image")), 8443, "/health",
                new Product.Commands(List.of("serve"), List.of("migrate"),
                        List.of("add-user", "{customer}", "Sample clinic", "{user}", "Operator"),
                        List.of(), List.of("./seed")),
                Optional.of(clinic.resolve("features.json")), Optional.of(clinic.resolve("src/main/resources/db/migration")),
                List.of("./test-schema")), landscape.product().orElseThrow());
        assertEquals(List.of(
                new Account("production", "111111111111", Purpose.PRODUCTION,
                        List.of(new Shard("clinic-1", Edition.PRODUCTION), new Shard("clinic-2", Edition.PRODUCTION)),
                        List.of(new Proxy(Edition.PRODUCTION, "clinic.example", Optional.empty(), false, Optional.empty(),
                                OptionalInt.of(200)))),
                new Account("demo", "222222222222", Purpose.DEMO, List.of(new Shard("demo-1", Edition.DEMO)),
                        List.of(new Proxy(Edition.DEMO, "demo.clinic.example",
                                Optional.of("arn:aws:acm:eu-central-1:222222222222:certificate/00000000-0000-0000-0000-000000000001"), true,
                                Optional.of("This is a demo. Please do not enter real patients' data."), OptionalInt.of(20)))),
                new Account("qa", "333333333333", Purpose.QA,
                        List.of(new Shard("qa-1", Edition.PRODUCTION),
                                new Shard("qa-demo-1", Edition.DEMO, Optional.of(Duration.ofHours(12)))),
                        List.of(new Proxy(Edition.PRODUCTION, "qa.clinic.example", Optional.empty(), false, Optional.empty(),
                                OptionalInt.of(200)),
                                new Proxy(Edition.DEMO, "qa-demo.clinic.example",
                                        Optional.of(
                                                "arn:aws:acm:eu-central-1:333333333333:certificate/00000000-0000-0000-0000-000000000002"),
                                        true,
                                        Optional.of("This is a demo in qa. Please do not enter real patients' data."),
                                        OptionalInt.of(20))))),
                landscape.accounts());
        assertEquals(Optional.of(new Delivery("https://gitlab.example.com", "clinic/lockstep", "main", List.of("operations@example.com"),
                List.of(new Delivery.Branch("clinic/code-lists", "main")))), landscape.delivery());
        var master = landscape.dataSets().get(0);
        assertEquals(new Keep(30, 90), master.keep());
        assertEquals("clinic-1", master.source());
        assertEquals(List.of("master.disease", "master.postal_code", "master.drug", "master.drug_interaction"),
                master.tables().stream().map(Table::name).toList());
        assertTrue(master.tables().stream().noneMatch(table -> table.columns().contains("internal_note")));
    }

    @Test
    void theSchemaTakesTheShippedFile() throws IOException {
        var schema = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12).getSchema(Files.readString(SCHEMA));
        String shipped = Files.readString(FILE);
        assertEquals("# yaml-language-server: $schema=./lockstep.schema.json", shipped.lines().findFirst().orElseThrow());
        assertEquals(List.of(), schema.validate(shipped, InputFormat.YAML));

        // ... and finds a mistake in each kind of value
        for (var mistake : List.of("product: → products: ", "build: → image: ", "port: 8443 → port: 443",
                "health: /health → health: health", "migrate: [migrate] → migrate: migrate", "\"333333333333\" → \"3333\"",
                "purpose: qa → purpose: staging",
                "edition: demo → edition: trial",
                "After: 7d → After: 7", "signUp: open → signUp: ajar", "rateLimit: 20 → rateLimit: 0", "host: demo. → host: Demo.",
                "source: clinic-1 → source: Clinic",
                "key: [code, seq] → key: []", "manifests: 30 → manifests: 0", "days: 90 → weeks: 9", "master.drug: → drug:",
                "eu-central-1 → Frankfurt", "gitlab: https → gitlab: http", "project: clinic/lockstep → project: clinic/*",
                "ref: main → ref: release-*", "operations@ → operations ", "[id, code, name, category → [id, id, name, category")) {
            var sides = mistake.split(" → ");
            String edited = shipped.replaceFirst(Pattern.quote(sides[0]), sides[1]);
            assertTrue(!schema.validate(edited, InputFormat.YAML).isEmpty(), mistake);
        }
    }

    @Test
    void theSchemaAndTheReaderKnowTheSame() {
        JsonNode schema = JsonMapper.shared().readTree(SCHEMA.toFile()).get("$defs");
        Map.of("landscape", LandscapeReader.LANDSCAPE, "account", LandscapeReader.ACCOUNT, "shard", LandscapeReader.SHARD,
                "proxy", LandscapeReader.PROXY, "dataSet", LandscapeReader.DATA_SET, "table", LandscapeReader.TABLE, "keep",
                LandscapeReader.KEEP, "watch", LandscapeReader.WATCH, "check", LandscapeReader.CHECK, "difference",
                LandscapeReader.DIFFERENCE).forEach((name, fields) -> {
                    assertEquals(fields.stream().map(YamlValue.Field::name).toList(),
                            List.copyOf(schema.get(name).get("properties").propertyNames()));
                    assertEquals(fields.stream().filter(YamlValue.Field::required).map(YamlValue.Field::name).toList(),
                            texts(schema.get(name).get("required")));
                });
        assertEquals(LandscapeReader.DELIVERY.stream().map(YamlValue.Field::name).toList(),
                List.copyOf(schema.at("/delivery/properties").propertyNames()));
        assertEquals(LandscapeReader.DELIVERY.stream().filter(YamlValue.Field::required).map(YamlValue.Field::name).toList(),
                texts(schema.at("/delivery/required")));
        var branch = schema.at("/delivery/properties/syncFrom/items");
        assertEquals(LandscapeReader.BRANCH.stream().map(YamlValue.Field::name).toList(),
                List.copyOf(branch.get("properties").propertyNames()));
        assertEquals(LandscapeReader.BRANCH.stream().map(YamlValue.Field::name).toList(), texts(branch.get("required")));
        Map.of("migration", LandscapeReader.MIGRATION, "source", ExistingReader.SOURCE, "product", LandscapeReader.PRODUCT, "commands",
                LandscapeReader.COMMANDS, "limits", LandscapeReader.LIMITS)
                .forEach((name, fields) -> {
                    assertEquals(fields.stream().map(YamlValue.Field::name).toList(),
                            List.copyOf(schema.get(name).get("properties").propertyNames()));
                    assertEquals(fields.stream().filter(YamlValue.Field::required).map(YamlValue.Field::name).toList(),
                            texts(schema.get(name).get("required")));
                });
        Map.of("/product/properties/image", LandscapeReader.IMAGE, "/product/properties/health", LandscapeReader.HEALTH, "/path",
                LandscapeReader.PATH, "/command/items", LandscapeReader.WORD)
                .forEach((place, format) -> assertEquals("^" + format.pattern() + "$", schema.at(place).get("pattern").asString()));
        Map.of("/delivery/properties/gitlab", LandscapeReader.GITLAB, "/delivery/properties/project", LandscapeReader.PROJECT,
                "/delivery/properties/ref", LandscapeReader.REF, "/shard/properties/postgres", LandscapeReader.POSTGRES)
                .forEach((place, format) -> assertEquals("^" + format.pattern() + "$", schema.at(place).get("pattern").asString()));
        Map.of("sync", LandscapeReader.SYNC, "holding", LandscapeReader.HOLDING, "hold", LandscapeReader.HOLD)
                .forEach((name, fields) -> assertEquals(fields.stream().map(YamlValue.Field::name).toList(),
                        List.copyOf(schema.get(name).get("properties").propertyNames())));
        assertEquals(lowercase(MigrationSource.Engine.values()), texts(schema.at("/source/properties/engine/enum")));
        assertEquals(lowercase(Purpose.values()), texts(schema.at("/account/properties/purpose/enum")));
        assertEquals(lowercase(Edition.values()), texts(schema.at("/shard/properties/edition/enum")));
        assertEquals(lowercase(Triggers.values()), texts(schema.at("/dataSet/properties/triggers/enum")));
        Map.of("/landscape/properties/release", LandscapeReader.RELEASE, "/landscape/properties/region", LandscapeReader.REGION,
                "/account/properties/id", LandscapeReader.ID, "/dataSet/properties/tables/propertyNames", LandscapeReader.TABLE_NAME,
                "/columns/items", LandscapeReader.COLUMN_NAME, "/proxy/properties/host", LandscapeReader.HOST,
                "/proxy/properties/certificate", LandscapeReader.CERTIFICATE, "/shard/properties/tenantsExpireAfter", LandscapeReader.AGE,
                "/difference/properties/what/items", LandscapeReader.DIFFERENCE_KEY, "/name", LandscapeReader.NAME)
                .forEach((place, format) -> assertEquals("^" + format.pattern() + "$", schema.at(place).get("pattern").asString()));
        Map.of("/account/properties/region", LandscapeReader.REGION, "/account/properties/zones/items", LandscapeReader.ZONE)
                .forEach((place, format) -> assertEquals("^" + format.pattern() + "$", schema.at(place).get("pattern").asString()));
        assertEquals("^" + LandscapeReader.CLOCK.pattern() + "$", schema.at("/sync/properties/at").get("pattern").asString());
        assertEquals("^" + LandscapeReader.INTERVAL.pattern() + "$", schema.at("/interval").get("pattern").asString());
        assertEquals(LandscapeReader.DATA_SET_NAME.pattern().pattern(),
                LandscapeReader.NAME.pattern().pattern().replace("30",
                        schema.at("/landscape/properties/dataSets/propertyNames/maxLength").asString()));
    }

    private static List<String> texts(JsonNode array) {
        return array.valueStream().map(JsonNode::asString).toList();
    }

    private static List<String> lowercase(Enum<?>[] constants) {
        return Arrays.stream(constants).map(constant -> constant.name().toLowerCase(Locale.ROOT)).toList();
    }
}
