package lockstep.masterdata.engine;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Deque;
import java.util.concurrent.ConcurrentLinkedDeque;
import lockstep.masterdata.engine.postgres.Database;
import lockstep.masterdata.engine.postgres.Faults;
import lockstep.masterdata.engine.postgres.SessionSettings;
import lockstep.masterdata.engine.postgres.Sql;

/**
 * A database that reuses connections, for tests of many small syncs, because opening a connection takes longer than most of their
 * statements. A reused connection has lost all its session state.
 */
final class TestingPool implements Database, AutoCloseable {
    private final Database database;
    private final Deque<Connection> idle = new ConcurrentLinkedDeque<>();

    TestingPool(Database database) {
        this.database = database;
    }

    @Override
    public String name() {
        return database.name();
    }

    @Override
    public Connection connect() {
        Connection found = idle.poll();
        Connection connection = found == null ? database.connect() : found;
        return (Connection) Proxy.newProxyInstance(TestingPool.class.getClassLoader(), new Class<?>[]{Connection.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("close")) {
                        giveBack(connection);
                        return null;
                    }
                    try {
                        return method.invoke(connection, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    private void giveBack(Connection connection) throws SQLException {
        if (connection.isClosed()) return;
        if (!connection.getAutoCommit()) {
            connection.rollback();
            connection.setAutoCommit(true);
        } else {
            Sql.execute(connection, "ROLLBACK");
        }
        connection.setReadOnly(false);
        Sql.execute(connection, "DISCARD ALL");
        SessionSettings.apply(connection);
        idle.push(connection);
    }

    @Override
    public void close() {
        for (Connection connection; (connection = idle.poll()) != null;) {
            try {
                connection.close();
            } catch (SQLException e) {
                throw Faults.of(e, name());
            }
        }
    }
}
