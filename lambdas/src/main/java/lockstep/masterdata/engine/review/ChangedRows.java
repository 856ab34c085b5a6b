package lockstep.masterdata.engine.review;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.copy.CopyText;
import lockstep.masterdata.engine.copy.Lines;
import lockstep.masterdata.engine.parts.Delta;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.parts.Packed;
import lockstep.masterdata.engine.parts.Part;
import lockstep.masterdata.engine.parts.PartStore;
import lockstep.masterdata.engine.restore.TablePlan;

/**
 * The changed rows of a table, read from the deltas, and from the parts of ranges that have none. At most {@link #MAX_BYTES} of objects are
 * read.
 *
 * @param emptied by column, the least number of rows that have lost their value; an estimate when not all rows were read
 * @param strange some keys of new rows that do not match the configured pattern; empty without a pattern
 * @param samples some of the changed, new and deleted rows
 * @param counts  how many rows came and went; empty when not all rows were read
 */
public record ChangedRows(Map<String, Long> emptied, List<String> strange, List<Sample> samples, Optional<Counts> counts) {
    /** A changed row is counted in both. */
    record Counts(long came, long went) {}

    /**
     * A row that differs, with its values by column (null for NULL). A changed row has only the changed columns.
     *
     * @param before empty for a new row
     * @param after  empty for a deleted row
     */
    public record Sample(String table, String key, Optional<Map<String, String>> before, Optional<Map<String, String>> after) {}

    static final ChangedRows NONE = new ChangedRows(Map.of(), List.of(), List.of(), Optional.empty());
    static final long MAX_BYTES = 32 << 20;
    private static final int SAMPLES = 3;
    /** How many new and how many old rows are kept in memory for comparison. */
    private static final int MAX_ROWS = 20_000;
    private static final int MAX_VALUE_LENGTH = 80;

    /** @param keys a pattern for keys of the table, whose columns are joined by {@code /} */
    static ChangedRows read(PartStore store, TableManifest before, TableManifest after, Optional<Pattern> keys) {
        return new Reader(store, after, keys).read(before);
    }

    private static final class Reader {
        private final PartStore store;
        private final TableManifest table;
        private final Optional<Pattern> keys;
        private final List<String> columns;
        private final int[] key;
        private final long[] nulls;
        private long more;
        private final Map<String, byte[]> came = new LinkedHashMap<>();
        private final Map<String, byte[]> went = new LinkedHashMap<>();
        private final List<String> strange = new ArrayList<>();
        private boolean complete = true;
        private long read;
        private long all;

        Reader(PartStore store, TableManifest table, Optional<Pattern> keys) {
            this.store = store;
            this.table = table;
            this.keys = keys;
            columns = table.columnNames();
            key = table.key().stream().mapToInt(columns::indexOf).toArray();
            nulls = new long[table.columns().size()];
        }

        ChangedRows read(TableManifest before) {
            TablePlan tablePlan = TablePlan.known(before, table, false, Optional.empty(), false);
            var deltas = tablePlan.steps().stream().map(TablePlan.Step::delta).toList();
            for (Delta delta : deltas) {
                long[] left = {delta.cameBytes()};
                lines(delta.object(), delta.bytes(), line -> {
                    if (left[0] > 0) comes(line);
                    else goes(line);
                    left[0] -= line.length;
                });
            }
            var is = objects(table.parts());
            var was = objects(before.parts());
            for (Part part : tablePlan.parts()) if (!was.contains(part.object())) lines(part.object(), part.bytes(), this::comes);
            var uncovered = new ArrayList<>(before.parts());
            // the deltas cover these parts
            for (Delta delta : deltas.reversed())
                uncovered.subList(at(before.parts(), Part::from, delta.from()), at(before.parts(), Part::until, delta.until()) + 1).clear();
            for (Part part : uncovered) if (!is.contains(part.object())) lines(part.object(), part.bytes(), this::goes);
            strange.removeAll(went.keySet());
            return new ChangedRows(emptied(), List.copyOf(strange.subList(0, Math.min(SAMPLES, strange.size()))), samples(), counts());
        }

        private static Set<String> objects(List<Part> parts) {
            return parts.stream().map(Part::object).collect(Collectors.toSet());
        }

        private static int at(List<Part> parts, Function<Part, List<String>> bound, List<String> key) {
            return IntStream.range(0, parts.size()).filter(i -> bound.apply(parts.get(i)).equals(key)).findFirst().orElseThrow();
        }

        private void lines(String object, long bytes, Consumer<byte[]> sink) {
            all += bytes;
            if (read + bytes > MAX_BYTES) {
                complete = false;
                return;
            }
            read += bytes;
            try (InputStream in = Packed.open(store::open, object)
                    .orElseThrow(() -> new Fault.BatchFailed(
                            "'" + Packed.abbreviated(object) + "' of table " + table.name() + " is missing from the store"));
                    var lines = new Lines(Packed.text(in))) {
                for (var line = lines.next(); line.isPresent(); line = lines.next()) sink.accept(line.get());
            } catch (IOException | UncheckedIOException e) {
                throw new Fault.StoreUnavailable("'" + Packed.abbreviated(object) + "' can't be read: " + e.getMessage(), e);
            }
        }

        private void comes(byte[] line) {
            count(line, 1);
            String named = remember(came, line);
            if (strange.size() < MAX_ROWS && keys.isPresent() && !keys.get().matcher(named).matches()) strange.add(named);
        }

        private void goes(byte[] line) {
            count(line, -1);
            remember(went, line);
        }

        /** Counts NULLs. A field is NULL when it consists of exactly {@code \N}. */
        private void count(byte[] line, int sign) {
            more += sign;
            int field = 0;
            int begin = 0;
            for (int at = 0; at < line.length; at++) {
                if (line[at] != '\t' && line[at] != '\n') continue;
                if (at - begin == 2 && line[begin] == '\\' && line[begin + 1] == 'N') nulls[field] += sign;
                field++;
                begin = at + 1;
            }
        }

        private String remember(Map<String, byte[]> rows, byte[] line) {
            String named = String.join("/", CopyText.fields(line, key));
            // different keys can be equal when their columns are joined
            if (rows.size() >= MAX_ROWS || rows.put(named, line) != null) complete = false;
            return named;
        }

        private Optional<Counts> counts() {
            if (!complete) return Optional.empty();
            long same = came.entrySet().stream().filter(row -> Arrays.equals(row.getValue(), went.get(row.getKey()))).count();
            return Optional.of(new Counts(came.size() - same, went.size() - same));
        }

        private Map<String, Long> emptied() {
            var emptied = new TreeMap<String, Long>();
            for (int i = 0; i < nulls.length; i++) {
                // NULLs of additional rows are no lost values
                long lost = nulls[i] - Math.max(0, more);
                if (lost > 0) emptied.put(columns.get(i), read < all ? lost * all / Math.max(1, read) : lost);
            }
            return emptied;
        }

        private List<Sample> samples() {
            var samples = new ArrayList<Sample>();
            came.entrySet().stream().filter(row -> went.containsKey(row.getKey()) && !Arrays.equals(row.getValue(), went.get(row.getKey())))
                    .limit(SAMPLES)
                    .forEach(row -> samples.add(changed(row.getKey(), went.get(row.getKey()), row.getValue())));
            // a row without a counterpart in memory may still have one
            if (!complete && !came.isEmpty() && !went.isEmpty()) return samples;
            came.entrySet().stream().filter(row -> !went.containsKey(row.getKey())).limit(SAMPLES).forEach(
                    row -> samples.add(new Sample(table.name(), row.getKey(), Optional.empty(), Optional.of(values(row.getValue())))));
            went.entrySet().stream().filter(row -> !came.containsKey(row.getKey())).limit(SAMPLES).forEach(
                    row -> samples.add(new Sample(table.name(), row.getKey(), Optional.of(values(row.getValue())), Optional.empty())));
            return samples;
        }

        private Sample changed(String named, byte[] before, byte[] after) {
            var was = values(before);
            var is = values(after);
            for (String column : columns) {
                if (!Objects.equals(was.get(column), is.get(column))) continue;
                was.remove(column);
                is.remove(column);
            }
            return new Sample(table.name(), named, Optional.of(was), Optional.of(is));
        }

        private Map<String, String> values(byte[] line) {
            var values = new LinkedHashMap<String, String>();
            String text = new String(line, 0, line.length - 1, StandardCharsets.UTF_8);
            String[] fields = text.split("\t", -1);
            for (int i = 0; i < fields.length; i++) {
                String value = fields[i].equals("\\N") ? null : CopyText.fields(line, new int[]{i}).getFirst();
                values.put(columns.get(i),
                        value == null || value.length() <= MAX_VALUE_LENGTH ? value : value.substring(0, MAX_VALUE_LENGTH) + "…");
            }
            return values;
        }
    }

    /** Returns the keys for a message, such as {@code 'x', 'y'}. */
    String strangeKeys() {
        return strange.stream().map(key -> "'" + key + "'").collect(Collectors.joining(", "));
    }
}
