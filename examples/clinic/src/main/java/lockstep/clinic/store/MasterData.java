package lockstep.clinic.store;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The code lists of this shard. */
public final class MasterData {
    /** An entry to choose from: its key as text, its name, and details that distinguish it from others. */
    public record Choice(String id, String title, String detail) {}

    public record Interaction(long id, String severity, String drug, String mechanism) {}

    private final Database database;

    public MasterData(Database database) {
        this.database = database;
    }

    /** Returns at most 20 diseases whose code, name or synonyms contain every word, best matches first; none without a word. */
    public List<Choice> diseases(String words) {
        return find("find_diseases", words);
    }

    /** Returns at most 20 drugs on the market whose code, name or ingredients contain every word; none without a word. */
    public List<Choice> drugs(String words) {
        return find("find_drugs", words);
    }

    /** Returns at most 20 towns of postal codes that start with the digits, ignoring dashes and spaces. */
    public List<Choice> postalCodes(String code) {
        String digits = code.replaceAll("[^0-9]", "");
        return digits.length() < 3 ? List.of() : database.ofNobody(t -> t.list("find_postal_codes", MasterData::choice, digits + "%"));
    }

    public Optional<Choice> disease(String id) {
        return number(id).flatMap(key -> database.ofNobody(
                t -> t.first("SELECT id, code || ' ' || name, category FROM master.disease WHERE id = ?", MasterData::choice, key)));
    }

    public Optional<Choice> drug(String id) {
        return number(id).flatMap(
                key -> database.ofNobody(t -> t.first("SELECT id, name, code FROM master.drug WHERE id = ?", MasterData::choice, key)));
    }

    /** @param id the postal code and the town's number, separated by a dash, as in a {@link Choice} */
    public Optional<Choice> postalCode(String id) {
        return id.matches("\\d{7}-\\d{1,3}")
                ? database.ofNobody(t -> t.first("postal_code", MasterData::choice, id.substring(0, 7), Integer.parseInt(id.substring(8))))
                : Optional.empty();
    }

    /** The snapshot time of each data set in this shard; empty if it has never been synced. */
    public Map<String, Instant> freshness() {
        try {
            return database.ofNobody(t -> {
                var times = new TreeMap<String, Instant>();
                t.list("SELECT data_set, snapshot_time FROM lockstep.freshness",
                        row -> times.put(row.getString(1), row.getObject(2, OffsetDateTime.class).toInstant()));
                return times;
            });
        } catch (StoreFault e) {
            if (e.isOfMissingTable()) return Map.of();
            throw e;
        }
    }

    private List<Choice> find(String statement, String words) {
        String[] patterns = Arrays.stream(words.strip().split("\\s+")).filter(word -> !word.isEmpty()).limit(8)
                .map(word -> "%" + word.replaceAll("([\\\\%_])", "\\\\$1") + "%").toArray(String[]::new);
        if (patterns.length == 0) return List.of();
        String start = patterns[0].substring(1);
        return database.ofNobody(t -> t.list(statement, MasterData::choice, patterns, start, start));
    }

    private static Choice choice(java.sql.ResultSet row) throws java.sql.SQLException {
        return new Choice(row.getString(1), row.getString(2), row.getString(3));
    }

    private static Optional<Long> number(String id) {
        return id.matches("\\d{1,18}") ? Optional.of(Long.valueOf(id)) : Optional.empty();
    }
}
