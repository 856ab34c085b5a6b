package lockstep.masterdata.engine;

import java.util.List;

/**
 * The rows of a table from a key (inclusive) up to another (exclusive), in the order of the table's key.
 *
 * @param from  the key columns' text, or empty for the beginning
 * @param until the key columns' text, or empty for the end
 */
public record KeyRange(String table, List<String> from, List<String> until) {
    public KeyRange {
        from = List.copyOf(from);
        until = List.copyOf(until);
    }
}
