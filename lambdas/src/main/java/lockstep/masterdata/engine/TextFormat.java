package lockstep.masterdata.engine;

import java.sql.Connection;
import java.sql.SQLException;

/** Fixes every setting that changes how PostgreSQL writes a value as text, so that equal values have equal COPY lines. */
public final class TextFormat {
    private TextFormat() {}

    public static void fix(Connection connection) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(Sql.named("text_format"));
        }
    }
}
