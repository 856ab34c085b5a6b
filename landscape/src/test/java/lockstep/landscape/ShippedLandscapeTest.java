package lockstep.landscape;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.networknt.schema.InputFormat;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The files at the root of the repository: lockstep.yaml and the schema that editors check it with. */
class ShippedLandscapeTest {
    private static final Path FILE = Path.of("../lockstep.yaml");
    private static final Path SCHEMA = Path.of("../lockstep.schema.json");

    @Test
    void theReaderTakesTheShippedFile() {
        var landscape = LandscapeReader.read(FILE);
        assertEquals(List.of(
                        new Account("production", "111111111111", Purpose.PRODUCTION,
                                List.of(new Shard("clinic-1", Edition.PRODUCTION), new Shard("clinic-2", Edition.PRODUCTION))),
                        new Account("demo", "222222222222", Purpose.DEMO, List.of(new Shard("demo-1", Edition.DEMO))),
                        new Account("qa", "333333333333", Purpose.QA,
                                List.of(new Shard("qa-1", Edition.PRODUCTION), new Shard("qa-demo-1", Edition.DEMO)))),
                landscape.accounts());
        var master = landscape.dataSets().get(0);
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

        // ... and is not blind: one mistake in each kind of value is seen.
        for (var mistake : Map.of("product:", "products:", "\"333333333333\"", "\"3333\"", "purpose: qa", "purpose: staging",
                "edition: demo", "edition: trial", "source: clinic-1", "source: Clinic", "key: [code, seq]", "key: []", "master.drug:", "drug:",
                "eu-central-1", "Frankfurt", "[id, code, name, category", "[id, id, name, category").entrySet()) {
            String edited = shipped.replaceFirst(Pattern.quote(mistake.getKey()), mistake.getValue());
            assertTrue(!schema.validate(edited, InputFormat.YAML).isEmpty(), mistake.toString());
        }
    }

    @Test
    void theSchemaAndTheReaderKnowTheSame() {
        JsonNode schema = JsonMapper.shared().readTree(SCHEMA.toFile()).get("$defs");
        Map.of("landscape", LandscapeReader.LANDSCAPE, "account", LandscapeReader.ACCOUNT, "shard", LandscapeReader.SHARD,
                "dataSet", LandscapeReader.DATA_SET, "table", LandscapeReader.TABLE).forEach((name, fields) -> {
            assertEquals(fields.stream().map(YamlValue.Field::name).toList(), List.copyOf(schema.get(name).get("properties").propertyNames()));
            assertEquals(fields.stream().filter(YamlValue.Field::required).map(YamlValue.Field::name).toList(), texts(schema.get(name).get("required")));
        });
        assertEquals(lowercase(Purpose.values()), texts(schema.at("/account/properties/purpose/enum")));
        assertEquals(lowercase(Edition.values()), texts(schema.at("/shard/properties/edition/enum")));
        Map.of("/landscape/properties/release", LandscapeReader.RELEASE, "/landscape/properties/region", LandscapeReader.REGION,
                "/account/properties/id", LandscapeReader.ID, "/dataSet/properties/tables/propertyNames", LandscapeReader.TABLE_NAME,
                "/columns/items", LandscapeReader.COLUMN_NAME, "/name", LandscapeReader.NAME).forEach((place, format) ->
                        assertEquals("^" + format.pattern() + "$", schema.at(place).get("pattern").asString()));
        assertEquals(LandscapeReader.DATA_SET_NAME.pattern().pattern(),
                LandscapeReader.NAME.pattern().pattern().replace("30", schema.at("/landscape/properties/dataSets/propertyNames/maxLength").asString()));
    }

    private static List<String> texts(JsonNode array) {
        return array.valueStream().map(JsonNode::asString).toList();
    }

    private static List<String> lowercase(Enum<?>[] constants) {
        return Arrays.stream(constants).map(constant -> constant.name().toLowerCase(Locale.ROOT)).toList();
    }
}
