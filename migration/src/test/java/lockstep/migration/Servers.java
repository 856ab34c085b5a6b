package lockstep.migration;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import lockstep.masterdata.engine.postgres.PostgresDatabase.Login;
import lockstep.masterdata.engine.postgres.PostgresDatabase;

/** The servers that all tests of a JVM share. */
public final class Servers {
    private static final AtomicInteger DATABASES = new AtomicInteger();
    private static MySqlServer mySql;
    private static EmbeddedPostgres postgres;

    private Servers() {}

    /** Returns the MySQL server with an empty database. */
    public static synchronized MySqlServer mySql() {
        if (mySql == null) {
            mySql = new MySqlServer();
            Runtime.getRuntime().addShutdownHook(new Thread(mySql::close));
        } else {
            mySql.reset();
        }
        return mySql;
    }

    private static synchronized EmbeddedPostgres postgres() {
        try {
            if (postgres == null) postgres = EmbeddedPostgres.builder().setServerConfig("fsync", "off").start();
            return postgres;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the login to a new, empty database of PostgreSQL. */
    public static Login database() {
        String name = "d" + DATABASES.incrementAndGet();
        var login = new Login("localhost", postgres().getPort(), "postgres", "postgres", "", "disable", null);
        execute(login, "CREATE DATABASE " + name);
        return new Login("localhost", postgres().getPort(), name, "postgres", "", "disable", null);
    }

    public static void execute(Login login, String sql) {
        new PostgresDatabase(login).run(connection -> {
            try (var statement = connection.createStatement()) {
                return statement.execute(sql);
            }
        });
    }

    /** Returns the rows of a query, with values as text separated by blanks. */
    public static List<String> query(Login login, String sql) {
        return new PostgresDatabase(login).run(connection -> rows(connection, sql));
    }

    private static List<String> rows(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement(); var row = statement.executeQuery(sql)) {
            var rows = new ArrayList<String>();
            while (row.next()) {
                var values = new ArrayList<String>();
                for (int i = 1; i <= row.getMetaData().getColumnCount(); i++) values.add(row.getString(i));
                rows.add(String.join(" ", values));
            }
            return rows;
        }
    }
}
