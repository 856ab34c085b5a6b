package lockstep.migration;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import lockstep.masterdata.engine.postgres.PostgresDatabase.Login;
import lockstep.migration.source.MySqlSource;
import lockstep.poll.Poll;

/** A MySQL 8 server with a database {@code old}. The first one in a JVM installs the server if necessary. */
public final class MySqlServer implements AutoCloseable {
    private static final Path TOOLS = Path.of(System.getProperty("lockstep.tools", "../.lockstep/tools")).toAbsolutePath().resolve("mysql");
    private final Path directory;
    private final Process process;
    private final int port;

    public MySqlServer() {
        try {
            if (!Files.isExecutable(TOOLS.resolve("mysqld"))) run(List.of("./install-mysql", TOOLS.toString()));
            directory = Files.createTempDirectory("mysql");
            Path data = directory.resolve("data");
            run(mysqld("--initialize-insecure", "--datadir=" + data));
            try (var free = new ServerSocket(0)) {
                port = free.getLocalPort();
            }
            process = new ProcessBuilder(mysqld("--datadir=" + data, "--port=" + port, "--bind-address=127.0.0.1", "--mysqlx=OFF",
                    "--socket=" + directory.resolve("s"), "--pid-file=" + directory.resolve("pid"), "--gtid-mode=ON",
                    "--enforce-gtid-consistency=ON", "--log-bin=binlog", "--server-id=1", "--binlog-row-metadata=FULL",
                    "--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0", "--performance-schema=OFF"))
                    .redirectErrorStream(true).redirectOutput(directory.resolve("log").toFile()).start();
            if (!Poll.within(Duration.ofSeconds(60), this::answers))
                throw new IllegalStateException("MySQL does not answer:\n" + Files.readString(directory.resolve("log")));
            execute("CREATE DATABASE old");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> mysqld(String... arguments) {
        var line = new ArrayList<>(List.of(TOOLS.resolve("mysqld").toString()));
        if (System.getProperty("user.name").equals("root")) line.add("--user=root");
        line.addAll(List.of(arguments));
        return line;
    }

    private static void run(List<String> command) throws IOException {
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String printed = new String(process.getInputStream().readAllBytes());
        try {
            if (process.waitFor() != 0) throw new IllegalStateException(command + " failed:\n" + printed);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private boolean answers() {
        try {
            connect("").close();
            return true;
        } catch (SQLException e) {
            return false;
        }
    }

    private Connection connect(String database) throws SQLException {
        return DriverManager.getConnection("jdbc:mysql://127.0.0.1:" + port + "/" + database
                + "?user=root&sslMode=DISABLED&allowPublicKeyRetrieval=true&allowMultiQueries=true");
    }

    /** Runs statements in the database {@code old}, if it exists. */
    public void execute(String sql) {
        try (var connection = connect(sql.startsWith("CREATE DATABASE") ? "" : "old"); var statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    /** Empties the database. */
    public void reset() {
        execute("DROP DATABASE old");
        execute("CREATE DATABASE old");
    }

    public MySqlSource source() {
        return new MySqlSource(login());
    }

    /** Kills the sessions of everyone else. */
    public void killSessions() {
        try (var connection = connect(""); var statement = connection.createStatement()) {
            var ids = new ArrayList<Long>();
            try (var row = statement
                    .executeQuery("SELECT id FROM information_schema.PROCESSLIST WHERE id <> CONNECTION_ID() AND user = 'root'")) {
                while (row.next()) ids.add(row.getLong(1));
            }
            for (long id : ids) {
                try {
                    statement.execute("KILL " + id);
                } catch (SQLException e) {
                    if (e.getErrorCode() != 1094) throw e; // it has ended by itself
                }
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    public Login login() {
        return new Login("127.0.0.1", port, "old", "root", "", "disable", null);
    }

    @Override
    public void close() {
        process.destroy();
        process.onExit().join();
        try (var files = Files.walk(directory)) {
            files.sorted(java.util.Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
