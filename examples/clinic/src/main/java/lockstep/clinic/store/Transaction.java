package lockstep.clinic.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** Executes statements in one transaction. A statement is given as the name of its resource, or as text if it fits on one line. */
public final class Transaction {
    /** Maps the current row of the result to an object. */
    public interface RowReader<T> {
        T read(ResultSet row) throws SQLException;
    }

    private static final Map<String, String> STATEMENTS = new ConcurrentHashMap<>();
    private final Connection connection;

    Transaction(Connection connection) {
        this.connection = connection;
    }

    /** From here on, this transaction can access the customer's rows; with an empty name, no rows. */
    public void become(String customer) {
        list("SELECT set_config('clinic.customer', ?, true)", _ -> true, customer);
    }

    public <T> List<T> list(String statement, RowReader<T> reader, Object... parameters) {
        try (var prepared = prepare(statement, parameters); var row = prepared.executeQuery()) {
            var rows = new ArrayList<T>();
            while (row.next()) rows.add(reader.read(row));
            return rows;
        } catch (SQLException e) {
            throw new StoreFault(e);
        }
    }

    public <T> Optional<T> first(String statement, RowReader<T> reader, Object... parameters) {
        return list(statement, reader, parameters).stream().findFirst();
    }

    public int change(String statement, Object... parameters) {
        try (var prepared = prepare(statement, parameters)) {
            return prepared.executeUpdate();
        } catch (SQLException e) {
            throw new StoreFault(e);
        }
    }

    private PreparedStatement prepare(String statement, Object... parameters) throws SQLException {
        String sql = statement.indexOf(' ') < 0 ? STATEMENTS.computeIfAbsent(statement, Transaction::resource) : statement;
        var prepared = connection.prepareStatement(sql);
        for (int i = 0; i < parameters.length; i++) {
            Object value = parameters[i] instanceof Optional<?> optional ? optional.orElse(null) : parameters[i];
            switch (value) {
                case String[] texts -> prepared.setArray(i + 1, connection.createArrayOf("text", texts));
                case Long[] numbers -> prepared.setArray(i + 1, connection.createArrayOf("bigint", numbers));
                case null, default -> prepared.setObject(i + 1, value);
            }
        }
        return prepared;
    }

    static String resource(String name) {
        try (var in = Transaction.class.getResourceAsStream("/lockstep/clinic/sql/" + name + ".sql")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
