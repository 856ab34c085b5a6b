package lockstep.masterdata.engine.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.postgres.Schema.Numbering;

/** Advances the sequences of copied columns past the copied values, so that the product can continue to generate values. */
public final class Sequences {
    private Sequences() {}

    /**
     * Advances the sequences; never moves one backwards. A sequence that can't be advanced stays unchanged and yields a warning.
     *
     * @param columns the copied columns of each table
     * @return warnings by table
     */
    public static Map<String, List<String>> advance(Connection connection, Map<String, List<String>> columns) throws SQLException {
        var numberings = Schema.numberings(connection, columns.keySet()).stream().filter(n -> columns.get(n.table()).contains(n.column()))
                .toList();
        if (numberings.isEmpty()) return Map.of();
        var start = connection.setSavepoint();
        try {
            var warnings = advance(connection, numberings, Sequences::advance);
            connection.releaseSavepoint(start);
            return warnings;
        } catch (SQLException e) {
            if (Faults.of(e, "target") instanceof Fault.DatabaseUnavailable) throw e;
            connection.rollback(start);
            return advance(connection, numberings, Sequences::tryToAdvance);
        }
    }

    private interface Step {
        /** @return why the sequence can't be advanced; empty when it was, or did not have to be */
        String advance(Connection connection, Numbering numbering) throws SQLException;
    }

    private static Map<String, List<String>> advance(Connection connection, List<Numbering> numberings, Step step) throws SQLException {
        var warnings = new HashMap<String, List<String>>();
        for (Numbering numbering : numberings) {
            String why = step.advance(connection, numbering);
            if (!why.isEmpty())
                warnings.computeIfAbsent(numbering.table(), t -> new ArrayList<>())
                        .add("sequence " + numbering.sequence() + " can't be advanced to " + numbering.table() + "." + numbering.column()
                                + ": " + why + ". The product may get numbers that are in use");
        }
        return warnings;
    }

    /** As {@link #advance}, but returns the message of an error. */
    private static String tryToAdvance(Connection connection, Numbering numbering) throws SQLException {
        var start = connection.setSavepoint();
        try {
            String why = advance(connection, numbering);
            connection.releaseSavepoint(start);
            return why;
        } catch (SQLException e) {
            if (Faults.of(e, "target") instanceof Fault.DatabaseUnavailable) throw e;
            connection.rollback(start);
            return e.getMessage();
        }
    }

    private static String advance(Connection connection, Numbering numbering) throws SQLException {
        if (!numbering.numeric()) return "the column is not a number";
        try (var statement = connection.createStatement();
                var row = statement.executeQuery(Sql.named("advance_sequence",
                        Map.of("sequence", Sql.literal(Sql.table(numbering.sequence())),
                                "sequence_name", Sql.table(numbering.sequence()), "column", Sql.identifier(numbering.column()), "table",
                                Sql.table(numbering.table()))))) {
            String beyond = row.next() ? row.getString(1) : null;
            return beyond == null ? "" : "the column holds " + beyond + ", which is beyond the sequence's bounds";
        }
    }
}
