package lockstep.migration.derive;

import static lockstep.landscape.YamlValue.nearest;
import static lockstep.landscape.YamlValue.quote;

import de.siegmar.fastcsv.reader.CsvReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import lockstep.landscape.LandscapeException;
import lockstep.landscape.Problem;
import lockstep.landscape.YamlValue.Field;
import lockstep.landscape.YamlValue.Format;
import lockstep.landscape.YamlValue;
import lockstep.migration.derive.Migration.Check;
import lockstep.migration.derive.Migration.Entity;
import lockstep.migration.derive.Migration.OldTable;
import lockstep.migration.derive.Migration.Target;
import lockstep.migration.derive.Migration.Way;

/** Reads migration.yaml and the SQL files beside it. Its fields are repeated in migration.schema.json for editors; a test compares them. */
public final class MigrationReader {
    static final List<Field> MIGRATION = List.of(
            new Field("entities", true, "{claim: {table: claim, key: [branch, no]}}"),
            new Field("tables", false, "{claim: {drop: {deleted: deleted_at IS NOT NULL}}}"),
            new Field("targets", true, "{shop.claim: {entity: claim, select: claim.sql}}"),
            new Field("checks", false, "{billed: {old: billed_old.sql, new: billed_new.sql}}"));
    static final List<Field> ENTITY = List.of(
            new Field("table", true, "claim"),
            new Field("key", true, "[branch, no], the columns that identify a root"),
            new Field("first", false, "1000000"));
    static final List<Field> TABLE = List.of(
            new Field("root", false, "{claim: [branch, claim_no]}, the entity and the columns with its key"),
            new Field("lookup", false, "true"),
            new Field("drop", false, "{deleted: deleted_at IS NOT NULL}"),
            new Field("values", false, "{state: [O, P, D]}"));
    static final List<Field> TARGET = List.of(
            new Field("entity", true, "claim"),
            new Field("select", true, "claim.sql"));

    static final List<Field> CHECK = List.of(
            new Field("old", true, "billed_old.sql"),
            new Field("new", true, "billed_new.sql"),
            new Field("key", false, "1"),
            new Field("allow", false, "billed.csv"));

    static final Format NAME = new Format("[a-z][a-z0-9_]{0,40}", "a name of at most 41 lowercase letters, digits and underscores",
            "write it like claim");
    static final Format COLUMN = new Format("[^\\x00-\\x1f\\x7f]{1,63}", "a name of 1 to 63 characters without control characters",
            "write it as the old database stores it");
    static final Format TARGET_TABLE = new Format("([a-z_][a-z0-9_$]*|\"[^\"]+\")\\.([a-z_][a-z0-9_$]*|\"[^\"]+\")",
            "schema.table as in SQL",
            "write it like shop.claim");
    static final Format FILE = new Format("[A-Za-z0-9_-]{1,60}\\.sql", "the name of an SQL file in the same directory",
            "write it like claim.sql");
    static final Format CSV = new Format("[A-Za-z0-9_-]{1,60}\\.csv", "the name of a CSV file in the same directory",
            "write it like billed.csv");
    static final Format COLUMNS = new Format("[1-9]", "a number of columns from 1 to 9", "write it like 1");
    static final Format NUMBER = new Format("[1-9][0-9]{0,17}", "a whole number of at least 1", "write it like 1000000");
    static final Format TEXT = new Format("(?s).*\\S.*|", "a text", "write it in quotes");
    static final Format CONDITION = new Format("(?s).*\\S.*", "an SQL condition", "write one that is true for the rows to drop");
    static final Format TRUE = new Format("true", "true", "write true, or remove the field");
    static final Format REASON = new Format("[^\\p{Cntrl}]{1,60}", "a name of at most 60 characters", "write why these rows are dropped");

    private final Path directory;
    private final List<Problem> problems = new ArrayList<>();
    private final Set<String> files = new HashSet<>();

    private MigrationReader(Path directory) {
        this.directory = directory;
    }

    /**
     * Reads {@code migration.yaml} in this directory, whose name is the migration's.
     *
     * @throws LandscapeException with all problems at once
     */
    public static Migration read(Path directory) {
        var reader = new MigrationReader(directory);
        Path file = directory.resolve("migration.yaml");
        var migration = reader.migration(directory.getFileName().toString(),
                YamlValue.of(file, "entities, tables and targets", reader.problems));
        if (!reader.problems.isEmpty()) {
            reader.problems.sort(Comparator.comparingInt(Problem::line));
            throw new LandscapeException(file, reader.problems);
        }
        return migration;
    }

    // Below, a missing or invalid value has already been reported as a problem.

    private Migration migration(String name, YamlValue root) {
        var fields = root.fields(MIGRATION);
        var entities = new LinkedHashMap<String, Entity>();
        fields.get("entities").entries(NAME, MIGRATION.getFirst().example()).forEach((entity, value) -> {
            var given = value.fields(ENTITY);
            entities.put(entity, new Entity(entity, given.get("table").text(COLUMN).orElse(""), columns(given.get("key")),
                    given.get("first").text(NUMBER).map(Long::parseLong).orElse(1L)));
        });
        var tables = new LinkedHashMap<String, OldTable>();
        if (fields.get("tables").isGiven()) fields.get("tables").entries(COLUMN, "{root: {claim: [branch, claim_no]}}")
                .forEach((table, value) -> tables.put(table, table(table, value, entities)));
        // the table of an entity needs no entry of its own
        entities.values().forEach(entity -> tables.putIfAbsent(entity.table(), new OldTable(entity.table(),
                Optional.of(new Way(entity.name(), entity.key())), false, Map.of(), Map.of())));
        var targets = new ArrayList<Target>();
        fields.get("targets").entries(TARGET_TABLE, TARGET.getFirst().example()).forEach((table, value) -> {
            var given = value.fields(TARGET);
            var entity = given.get("entity").text(NAME);
            entity.filter(word -> !entities.isEmpty() && !entities.containsKey(word))
                    .ifPresent(word -> unknown(given.get("entity"), "entity", word, entities.keySet(), "add it to entities"));
            targets.add(new Target(table, entity.orElse(""), sql(given.get("select"))));
        });
        var checks = new ArrayList<Check>();
        if (fields.get("checks").isGiven()) fields.get("checks").entries(NAME, "{old: billed_old.sql, new: billed_new.sql}")
                .forEach((check, value) -> checks.add(check(check, value.fields(CHECK))));
        refuseUnusedFiles(root);
        return new Migration(name, List.copyOf(entities.values()), List.copyOf(tables.values()), targets, checks);
    }

    /** The table of an entity holds the roots themselves, so it needs no way to them. */
    private OldTable table(String name, YamlValue value, Map<String, Entity> entities) {
        var given = value.fields(TABLE);
        var root = entities.values().stream().filter(entity -> entity.table().equals(name)).findFirst()
                .map(entity -> new Way(entity.name(), entity.key()));
        if (given.get("root").isGiven()) {
            var ways = given.get("root").entries(NAME, "[branch, claim_no]");
            if (ways.size() > 1) given.get("root").problem("a row has one root", "keep the entity that it is derived with");
            for (var way : ways.entrySet()) {
                var columns = columns(way.getValue());
                var entity = entities.get(way.getKey());
                if (entity == null && !entities.isEmpty())
                    unknown(way.getValue(), "entity", way.getKey(), entities.keySet(), "add it to entities");
                else if (entity != null && !columns.isEmpty() && columns.size() != entity.key().size())
                    way.getValue().problem(columns.size() + " columns can't hold the key of " + way.getKey() + ", which has "
                            + entity.key().size(), "name the columns in the order of its key: " + String.join(", ", entity.key()));
                root = Optional.of(new Way(way.getKey(), columns));
            }
        }
        var drop = new LinkedHashMap<String, String>();
        if (given.get("drop").isGiven()) given.get("drop").entries(REASON, "deleted_at IS NOT NULL")
                .forEach((reason, condition) -> drop.put(reason, condition.text(CONDITION).orElse("false")));
        var values = new LinkedHashMap<String, List<String>>();
        if (given.get("values").isGiven()) given.get("values").entries(COLUMN, "[O, P, D]").forEach((column, list) -> values.put(column,
                list.items().stream().flatMap(item -> item.text(TEXT).stream()).toList()));
        boolean lookup = given.get("lookup").text(TRUE).isPresent();
        if (lookup && root.isPresent()) given.get("lookup").problem("its rows belong to " + root.get().entity(), "remove it");
        return new OldTable(name, root, lookup, drop, values);
    }

    private Check check(String name, Map<String, YamlValue> given) {
        int key = given.get("key").text(COLUMNS).map(Integer::parseInt).orElse(1);
        var allowed = new LinkedHashMap<List<String>, String>();
        given.get("allow").text(CSV).ifPresent(file -> {
            try (var csv = CsvReader.builder().ofCsvRecord(directory.resolve(file))) {
                for (var record : csv) {
                    if (record.getFieldCount() != key + 1 || record.getField(key).isBlank())
                        given.get("allow").problem("line " + record.getStartingLineNumber() + " of " + file + " does not have " + (key + 1)
                                + " fields", "write the " + key + " columns of the key and the reason why the row may differ");
                    else allowed.put(List.copyOf(record.getFields().subList(0, key)), record.getField(key));
                }
            } catch (IOException | UncheckedIOException e) {
                given.get("allow").problem(file + " can't be read: " + e.getMessage(), "create it beside this file, or remove the field");
            }
        });
        return new Check(name, sql(given.get("old")), sql(given.get("new")), key, allowed);
    }

    private static List<String> columns(YamlValue list) {
        return list.items().stream().flatMap(item -> item.text(COLUMN).stream()).toList();
    }

    private static void unknown(YamlValue value, String what, String word, Set<String> known, String otherwise) {
        value.problem("there is no " + what + " " + quote(word),
                nearest(word, known).map(candidate -> "did you mean '" + candidate + "'?").orElse(otherwise));
    }

    private String sql(YamlValue value) {
        var name = value.text(FILE);
        if (name.isEmpty()) return "";
        files.add(name.get());
        try {
            String text = Files.readString(directory.resolve(name.get())).strip();
            if (text.endsWith(";"))
                value.problem(name.get() + " ends with a semicolon", "remove it: the SELECT becomes part of a statement");
            if (text.isEmpty()) value.problem(name.get() + " is empty", "write a SELECT");
            return text;
        } catch (NoSuchFileException e) {
            value.problem("there is no file " + name.get() + " beside this one",
                    "create it with a SELECT");
        } catch (IOException e) {
            value.problem(name.get() + " can't be read: " + e, "save it as UTF-8 text that you may read");
        }
        return "";
    }

    private void refuseUnusedFiles(YamlValue root) {
        if (files.isEmpty()) return;
        try (var list = Files.list(directory)) {
            for (String name : list.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(".sql")).sorted().toList())
                if (!files.contains(name))
                    root.problem("nothing uses " + name, "add a target with select: " + name + ", or delete the file");
        } catch (IOException e) {
            root.problem(directory + " can't be listed: " + e, "check that you may read it");
        }
    }
}
