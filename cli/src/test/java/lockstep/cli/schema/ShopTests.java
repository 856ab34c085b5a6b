package lockstep.cli.schema;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The test command of a tiny product, whose code is the file {@code code.sql}: each line is a test, {@code Class#method: SQL}. The first
 * argument is the URL of a server's database {@code postgres}.
 */
final class ShopTests {
    private ShopTests() {}

    public static void main(String... arguments) throws Exception {
        String selected = System.getenv("TESTS");
        var failures = new TreeMap<String, Optional<String>>();
        String database = "shop_" + ProcessHandle.current().pid();
        try (var server = DriverManager.getConnection(arguments[0])) {
            execute(server, "CREATE DATABASE " + database);
            try (var connection = DriverManager.getConnection(arguments[0].replace("/postgres?", "/" + database + "?"))) {
                if (selected.equals("upgrade") || selected.equals("shop.Upgrade#inUse")) {
                    failures.put("Upgrade#inUse", upgrade(connection));
                } else {
                    migrate(connection, Path.of(System.getenv("MIGRATIONS")), List.of());
                    for (var test : tests().entrySet())
                        if (selected.isEmpty() || List.of(selected.split("[#+]")).contains(test.getKey().replaceAll(".*#", "")))
                            failures.put(test.getKey(), failure(connection, test.getValue()));
                }
            }
            execute(server, "DROP DATABASE " + database);
        }
        for (var test : failures.entrySet()) {
            String[] name = test.getKey().split("#");
            Files.writeString(Path.of(System.getenv("REPORTS"), "TEST-" + test.getKey() + ".xml"), """
                    <testsuite><testcase classname="shop.%s" name="%s">%s</testcase></testsuite>
                    """.formatted(name[0], name[1],
                    test.getValue().map(m -> "<failure message=\"" + m.replace("\"", "&quot;").replace("<", "&lt;") + "\"/>").orElse("")));
        }
    }

    private static Map<String, String> tests() throws IOException {
        var tests = new TreeMap<String, String>();
        for (String line : Files.readAllLines(Path.of("code.sql"))) tests.put(line.split(": ", 2)[0], line.split(": ", 2)[1]);
        return tests;
    }

    /** Applies the migrations to a database of the previous release that holds a row. */
    private static Optional<String> upgrade(Connection connection) throws IOException, SQLException {
        var previous = migrate(connection, Path.of(System.getenv("PREVIOUS_MIGRATIONS")), List.of());
        execute(connection, "INSERT INTO inquiry (message, meeting_at) VALUES ('a row of a customer', now())");
        try {
            migrate(connection, Path.of(System.getenv("MIGRATIONS")), previous);
            return Optional.empty();
        } catch (SQLException e) {
            return Optional.of(e.getMessage());
        }
    }

    private static List<String> migrate(Connection connection, Path directory, List<String> applied) throws IOException, SQLException {
        try (var files = Files.list(directory)) {
            var names = files.map(file -> file.getFileName().toString()).sorted().toList();
            for (String name : names) if (!applied.contains(name)) execute(connection, Files.readString(directory.resolve(name)));
            return names;
        }
    }

    private static Optional<String> failure(Connection connection, String sql) {
        try {
            execute(connection, sql);
            return Optional.empty();
        } catch (SQLException e) {
            return Optional.of(e.getMessage());
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
