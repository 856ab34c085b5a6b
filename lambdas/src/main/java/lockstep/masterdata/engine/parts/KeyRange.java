package lockstep.masterdata.engine.parts;

import java.util.List;

/**
 * The rows of a table from a key (inclusive) up to another (exclusive), in the order of the table's key.
 *
 * @param from  the key columns as text; empty for the beginning
 * @param until the key columns as text; empty for the end
 * @param base  the parts that covered exactly this range in the previous manifest, in order; empty when there is nothing to compare with
 */
public record KeyRange(String table, List<String> from, List<String> until, List<Part> base) {
    public KeyRange {
        from = List.copyOf(from);
        until = List.copyOf(until);
        base = List.copyOf(base);
    }
}
