package lockstep.masterdata.engine;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import lockstep.masterdata.engine.Schema.Numbering;

/** Moves the sequences that number copied columns past the copied values, so that the product can go on numbering. */
final class Sequences {
    private Sequences() {}

    /**
     * Never moves a sequence backwards. One that can't follow is left where it is.
     *
     * @param columns of each table those that were copied
     * @return by table, what could not be done and why
     */
    static Map<String, List<String>> advance(Connection connection, Map<String, List<String>> columns) throws SQLException {
        var warnings = new HashMap<String, List<String>>();
        for (Numbering numbering : Schema.numberings(connection, columns.keySet())) {
            if (!columns.get(numbering.table()).contains(numbering.column())) continue;
            String why = advance(connection, numbering);
            if (!why.isEmpty())
                warnings.computeIfAbsent(numbering.table(), t -> new ArrayList<>())
                        .add("sequence " + numbering.sequence() + " can't follow " + numbering.table() + "." + numbering.column() + ": " + why + ". The product may be given numbers that are in use");
        }
        return warnings;
    }

    /** @return why not; empty when it was moved or need not be */
    private static String advance(Connection connection, Numbering numbering) throws SQLException {
        if (!numbering.numeric()) return "the column is not a number";
        var start = connection.setSavepoint();
        try (var statement = connection.createStatement(); var row = statement.executeQuery(Sql.named("advance_sequence", Map.of("sequence", Sql.literal(Sql.table(numbering.sequence())),
                "sequence_name", Sql.table(numbering.sequence()), "column", Sql.identifier(numbering.column()), "table", Sql.table(numbering.table()))))) {
            String beyond = row.next() ? row.getString(1) : null;
            connection.releaseSavepoint(start);
            return beyond == null ? "" : "the column holds " + beyond + ", which is beyond the sequence's bounds";
        } catch (SQLException e) {
            if (Faults.of(e, "target") instanceof Fault.DatabaseUnavailable) throw e;
            connection.rollback(start);
            return e.getMessage();
        }
    }
}
