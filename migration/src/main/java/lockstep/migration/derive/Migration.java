package lockstep.migration.derive;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How rows of a new model are derived from landed tables. All SQL is PostgreSQL's.
 *
 * @param entities in the order in which they are derived: an entity comes after those that its targets refer to
 */
public record Migration(String name, List<Entity> entities, List<OldTable> tables, List<Target> targets, List<Check> checks) {
    public Migration {
        entities = List.copyOf(entities);
        tables = List.copyOf(tables);
        targets = List.copyOf(targets);
        checks = List.copyOf(checks);
    }

    /**
     * What is derived as a whole, such as a claim with its lines. Its rows are the roots. They are numbered in the order of their keys; the
     * table {@code NAME_key} holds for each root its old key and the number as {@code id}.
     *
     * @param table the old table whose rows are the roots
     * @param key   the columns that identify a root
     * @param first the first number
     */
    public record Entity(String name, String table, List<String> key, long first) {
        public Entity {
            key = List.copyOf(key);
        }
    }

    /**
     * An old table as the SELECTs see it, without the rows that are dropped on purpose.
     *
     * @param root   the entity that a row belongs to, and the columns with its key
     * @param lookup whether rows belong to no entity, and are only looked up
     * @param drop   conditions by name; a row that meets one is dropped
     * @param values for columns such as old enums, the only values that SELECTs know
     */
    public record OldTable(String name, Optional<Way> root, boolean lookup, Map<String, String> drop, Map<String, List<String>> values) {}

    /** The columns of an old table that hold the key of the root, in its order. */
    public record Way(String entity, List<String> columns) {
        public Way {
            columns = List.copyOf(columns);
        }
    }

    /**
     * A table of the new model.
     *
     * @param table  schema.table as in SQL
     * @param select returns its columns for the roots in the table {@code roots}, which has the columns of {@code ENTITY_key}. A column
     *               {@code from_TABLE} tells from which row of an old table, as its {@code ctid}, a row is derived
     */
    public record Target(String table, String entity, String select) {}

    /**
     * Two queries whose results must be equal.
     *
     * @param old     sees all rows of the old tables by their names
     * @param current sees the new tables by their qualified names
     * @param key     the number of leading columns that identify a row of the result
     * @param allowed for rows that may differ, their key and the reason
     */
    public record Check(String name, String old, String current, int key, Map<List<String>, String> allowed) {
        public Check {
            allowed = Map.copyOf(allowed);
        }
    }
}
