package lockstep.bench;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import lockstep.masterdata.engine.parts.Json;

/**
 * The product's reader. It queries every 10 ms while a contender runs, alternating between one statement and two statements in a
 * repeatable-read transaction. An answer is correct if its columns are all as before or all as after.
 *
 * <p>Arguments are the database and a file of four lines: the two halves of the query, and the answers before and after, with columns
 * separated by {@code |}. It prints "ready", runs until its standard input ends, and then prints a line of JSON.
 */
public final class Reader {
    private static final long PERIOD = 10_000_000;
    private final List<String> before;
    private final List<String> after;
    private final String[] halves;
    private final List<String> examples = new ArrayList<>();
    private int polls;
    private long longest;
    private int empty;
    private int mixed;
    private int refused;

    private Reader(List<String> lines) {
        halves = new String[]{lines.get(0), lines.get(1)};
        before = columns(lines.get(2));
        after = columns(lines.get(3));
    }

    private static List<String> columns(String line) {
        return Arrays.asList(line.split("\\|", -1));
    }

    public static void main(String[] arguments) throws Exception {
        var reader = new Reader(java.nio.file.Files.readAllLines(java.nio.file.Path.of(arguments[1])));
        String url = "jdbc:postgresql://" + arguments[0];
        Connection connection = DriverManager.getConnection(url, "product", "bench");
        for (int i = 0; i < 20; i++) reader.ask(connection, i % 2 == 0);
        reader.polls = 0;
        reader.longest = 0;
        System.out.println("ready");
        long next = System.nanoTime();
        for (int i = 0; System.in.available() == 0; i++) {
            if (connection.isClosed()) connection = DriverManager.getConnection(url, "product", "bench");
            reader.ask(connection, i % 2 == 0);
            // after a long wait, continue from now and skip the missed polls
            next = Math.max(next + PERIOD, System.nanoTime());
            for (long left; (left = next - System.nanoTime()) > 0;) Thread.sleep(left / 1_000_000, (int) (left % 1_000_000));
        }
        System.out.println(Json.MAPPER.writeValueAsString(reader.results()));
    }

    private void ask(Connection connection, boolean inOne) throws SQLException {
        long begun = System.nanoTime();
        try {
            judge(inOne ? answer(connection, halves[0] + ", " + halves[1]) : inTwo(connection));
        } catch (SQLException e) {
            refused++;
            note(e.getMessage());
        }
        polls++;
        longest = Math.max(longest, System.nanoTime() - begun);
    }

    private List<String> inTwo(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        try {
            var all = new ArrayList<>(answer(connection, halves[0]));
            all.addAll(answer(connection, halves[1]));
            return all;
        } finally {
            connection.rollback();
            connection.setAutoCommit(true);
            connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        }
    }

    private static List<String> answer(Connection connection, String columns) throws SQLException {
        try (var statement = connection.createStatement(); var row = statement.executeQuery("SELECT " + columns)) {
            row.next();
            var values = new ArrayList<String>();
            for (int i = 1; i <= row.getMetaData().getColumnCount(); i++) values.add(row.getString(i) == null ? "" : row.getString(i));
            return values;
        }
    }

    private void judge(List<String> answer) {
        if (answer.equals(before) || answer.equals(after)) return;
        if (answer.contains("") || answer.contains("0")) empty++;
        else mixed++;
        note(String.join("|", answer));
    }

    private void note(String example) {
        if (examples.size() < 3) examples.add(example);
    }

    private Map<String, Object> results() {
        return Map.of("polls", polls, "longest", longest / 1e9, "empty", empty, "mixed", mixed, "refused", refused, "examples", examples);
    }
}
