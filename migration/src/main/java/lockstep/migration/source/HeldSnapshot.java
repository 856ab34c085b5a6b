package lockstep.migration.source;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/** A snapshot that lasts as long as the transactions of its connections. */
abstract class HeldSnapshot implements Snapshot {
    final List<Connection> connections;
    private final String position;

    HeldSnapshot(String position, List<Connection> connections) {
        this.position = position;
        this.connections = List.copyOf(connections);
    }

    @Override
    public final String position() {
        return position;
    }

    @Override
    public final void close() {
        close(connections);
    }

    static void close(List<Connection> connections) {
        for (Connection connection : connections) {
            try {
                connection.close();
            } catch (SQLException ignored) {
                // the server ends the transaction anyway
            }
        }
    }
}
