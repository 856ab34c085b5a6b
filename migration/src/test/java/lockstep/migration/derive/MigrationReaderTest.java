package lockstep.migration.derive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import lockstep.landscape.LandscapeException;
import lockstep.landscape.YamlValue;
import lockstep.migration.derive.Migration.Entity;
import lockstep.migration.derive.Migration.OldTable;
import lockstep.migration.derive.Migration.Target;
import lockstep.migration.derive.Migration.Way;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class MigrationReaderTest {
    private static final String VALID = """
            entities:
              claim: {table: claim, key: [branch, no], first: 1000}
            tables:
              claim: {drop: {deleted: deleted_at IS NOT NULL}, values: {state: [O, P, ""]}}
              note: {root: {claim: [branch, claim_no]}}
              branch: {lookup: true}
            targets:
              shop.claim: {entity: claim, select: claim.sql}
              shop.note: {entity: claim, select: note.sql}
            """;

    @TempDir Path temporary;
    private Path directory;

    @BeforeEach
    void files() throws IOException {
        directory = Files.createDirectories(temporary.resolve("claims"));
        Files.writeString(directory.resolve("claim.sql"), "SELECT 1\n");
        Files.writeString(directory.resolve("note.sql"), "SELECT 2 -- two\n");
    }

    private Migration read(String yaml) throws IOException {
        Files.writeString(directory.resolve("migration.yaml"), yaml);
        return MigrationReader.read(directory);
    }

    private void assertProblems(String yaml, String... problems) {
        String message = assertThrows(LandscapeException.class, () -> read(yaml)).getMessage();
        assertEquals(List.of(problems), message.lines().map(line -> line.substring((directory + "/migration.yaml:").length())).toList());
    }

    @Test
    void readsWhatTheFilesSay() throws IOException {
        assertEquals(new Migration("claims", List.of(new Entity("claim", "claim", List.of("branch", "no"), 1000)),
                List.of(new OldTable("claim", Optional.of(new Way("claim", List.of("branch", "no"))), false,
                        Map.of("deleted", "deleted_at IS NOT NULL"), Map.of("state", List.of("O", "P", ""))),
                        new OldTable("note", Optional.of(new Way("claim", List.of("branch", "claim_no"))), false, Map.of(), Map.of()),
                        new OldTable("branch", Optional.empty(), true, Map.of(), Map.of())),
                List.of(new Target("shop.claim", "claim", "SELECT 1"), new Target("shop.note", "claim", "SELECT 2 -- two")), List.of()),
                read(VALID));
    }

    @Test
    void checks() throws IOException {
        Files.writeString(directory.resolve("old.sql"), "SELECT 3");
        Files.writeString(directory.resolve("known.csv"), "1,2026,rounded\n\"a,b\",x,\"as before\"\n");
        var check = read(VALID + "checks: {billed: {old: old.sql, new: note.sql, key: 2, allow: known.csv}}\n").checks().getFirst();
        assertEquals(new Migration.Check("billed", "SELECT 3", "SELECT 2 -- two", 2,
                Map.of(List.of("1", "2026"), "rounded", List.of("a,b", "x"), "as before")), check);
        assertProblems(
                VALID + "checks: {billed: {old: old.sql, new: note.sql, allow: known.csv}, none: {old: no.sql, new: old.sql, allow: a}}",
                "10: checks.billed.allow: line 1 of known.csv does not have 2 fields; write the 1 columns of the key and the reason "
                        + "why the row may differ",
                "10: checks.billed.allow: line 2 of known.csv does not have 2 fields; write the 1 columns of the key and the reason "
                        + "why the row may differ",
                "10: checks.none.allow: 'a' is not the name of a CSV file in the same directory; write it like billed.csv",
                "10: checks.none.old: there is no file no.sql beside this one; create it with a SELECT");
    }

    @Test
    void everyMistakeIsReportedWithItsLine() throws IOException {
        Files.writeString(directory.resolve("other.sql"), "SELECT 3");
        Files.writeString(directory.resolve("note.sql"), "SELECT 2;\n");
        assertProblems(VALID.replace("[branch, claim_no]", "[claim_no]")
                .replace("shop.claim: {entity: claim, select: claim.sql", "claim: {entity: clam, select: clam.sql"),
                "1: nothing uses claim.sql; add a target with select: claim.sql, or delete the file",
                "1: nothing uses other.sql; add a target with select: other.sql, or delete the file",
                "5: tables.note.root.claim: 1 columns can't hold the key of claim, which has 2; name the columns in the order of its key: "
                        + "branch, no",
                "8: targets.claim: 'claim' is not schema.table as in SQL; write it like shop.claim",
                "8: targets.claim.entity: there is no entity 'clam'; did you mean 'claim'?",
                "8: targets.claim.select: there is no file clam.sql beside this one; create it with a SELECT",
                "9: targets.shop.note.select: note.sql ends with a semicolon; remove it: the SELECT becomes part of a statement");
    }

    @Test
    void unknownFieldsAndEntities() {
        assertProblems(VALID.replace("root: {claim:", "root: {klaim:").replace("drop:", "drops:"),
                "4: tables.claim.drops: unknown field 'drops'; did you mean 'drop'?",
                "5: tables.note.root.klaim: there is no entity 'klaim'; did you mean 'claim'?");
    }

    @Test
    void theSchemaAndTheReaderKnowTheSame() {
        JsonNode schema = JsonMapper.shared().readTree(Path.of("../migration.schema.json").toFile()).get("$defs");
        Map.of("migration", MigrationReader.MIGRATION, "entity", MigrationReader.ENTITY, "table", MigrationReader.TABLE, "check",
                MigrationReader.CHECK, "target",
                MigrationReader.TARGET).forEach((name, fields) -> {
                    assertEquals(fields.stream().map(YamlValue.Field::name).toList(),
                            List.copyOf(schema.get(name).get("properties").propertyNames()));
                    assertEquals(fields.stream().filter(YamlValue.Field::required).map(YamlValue.Field::name).toList(),
                            schema.get(name).path("required").valueStream().map(JsonNode::asString).toList());
                });
        assertEquals("^" + MigrationReader.FILE.pattern() + "$", schema.at("/target/properties/select/pattern").asString());
        assertEquals("^" + MigrationReader.NAME.pattern() + "$",
                schema.at("/migration/properties/entities/propertyNames/pattern").asString());
    }
}
