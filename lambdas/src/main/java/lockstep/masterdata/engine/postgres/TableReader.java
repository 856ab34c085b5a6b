package lockstep.masterdata.engine.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import lockstep.masterdata.engine.copy.Content;
import lockstep.masterdata.engine.copy.RowDigest;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyOut;

/** Reads rows with COPY, one line at a time. */
public final class TableReader {
    /** Receives one COPY line, including its newline. */
    public interface LineSink {
        void line(byte[] line);
    }

    private TableReader() {}

    /** Streams the rows of a query. If the sink throws, the COPY is cancelled. */
    public static void stream(Connection connection, String query, LineSink sink) throws SQLException {
        CopyOut copy = connection.unwrap(PGConnection.class).getCopyAPI().copyOut("COPY (" + query + ") TO STDOUT");
        try {
            byte[] line;
            while ((line = copy.readFromCopy()) != null) sink.line(line);
        } finally {
            if (copy.isActive()) copy.cancelCopy();
        }
    }

    /** Reads the table's rows and returns their count and digest. */
    static Content content(Connection connection, String table, List<String> columns, String condition) throws SQLException {
        return content(connection, "SELECT " + Sql.columns("t.", columns) + " FROM " + Sql.table(table) + " t WHERE " + condition);
    }

    /** Reads the rows of a query and returns their count and digest. */
    public static Content content(Connection connection, String query) throws SQLException {
        var rows = new Object() {
            long count;
            RowDigest digest = RowDigest.EMPTY;
        };
        stream(connection, query, line -> {
            rows.count++;
            rows.digest = rows.digest.plus(RowDigest.ofLine(line, 0, line.length - 1));
        });
        return new Content(rows.count, rows.digest);
    }
}
