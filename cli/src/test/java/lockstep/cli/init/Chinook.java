package lockstep.cli.init;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.regex.Pattern;

/** Chinook, a public sample database of a digital media store. Its script, in the dialect of HSQLDB, is that of a package. */
public final class Chinook {
    private static final Pattern ESCAPED = Pattern.compile("\\\\u([0-9a-f]{4})");

    private static EmbeddedPostgres server;

    private Chinook() {}

    /** A server for the tests of this JVM, with which it ends. */
    public static synchronized EmbeddedPostgres server() throws IOException {
        if (server == null) server = EmbeddedPostgres.start();
        return server;
    }

    public static void load(Connection connection) throws IOException, SQLException {
        try (var in = Chinook.class.getResourceAsStream("/chinook.script"); var statement = connection.createStatement()) {
            statement.execute("SET session_replication_role = replica; CREATE SCHEMA chinook");
            String script = new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
            for (String line : script.lines().filter(line -> line.matches("(CREATE MEMORY TABLE|ALTER TABLE|INSERT INTO) \"chinook\".*"))
                    .toList()) {
                statement.addBatch(ESCAPED.matcher(line.replace("CREATE MEMORY TABLE", "CREATE TABLE"))
                        .replaceAll(code -> Character.toString(Integer.parseInt(code.group(1), 16))));
            }
            statement.executeBatch();
            statement.execute("SET session_replication_role = origin; ANALYZE");
        }
    }
}
