package lockstep.masterdata.engine.imports;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.copy.Content;
import lockstep.masterdata.engine.copy.CopyText;
import lockstep.masterdata.engine.copy.RowDigest;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.masterdata.engine.postgres.TableReader;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/**
 * A temporary table with the records of a file as text: their number, their line, and one text column for each value. The columns are named
 * by position ({@code c1}, {@code c2}, …), so that they can't collide with names of the product.
 *
 * <p>The records are sent in COPY's text format, which escapes every value. In CSV format, PostgreSQL 17 would take a line {@code \.} for
 * the end of the file. {@link #verify} checks that the received records are those that were sent.
 */
public final class RawStaging implements AutoCloseable {
    static final String TABLE = "pg_temp.lockstep_file";

    private static final int CHUNK = 1 << 16;

    private final Connection connection;
    private final int columns;
    private final CopyIn copy;
    private byte[] buffer = new byte[2 * CHUNK];
    private int filled;
    private Content sent = Content.NONE;

    /** Creates the table and starts to fill it. */
    public RawStaging(Connection connection, int columns) throws SQLException {
        this.connection = connection;
        this.columns = columns;
        Sql.execute(connection, "CREATE TEMPORARY TABLE lockstep_file (record pg_catalog.int8, line pg_catalog.int8, "
                + names("%s pg_catalog.text") + ") ON COMMIT DROP");
        copy = connection.unwrap(PGConnection.class).getCopyAPI().copyIn("COPY " + TABLE + " FROM STDIN");
    }

    /** Returns {@code c1, c2, …}, each in this format. */
    private String names(String format) {
        return IntStream.range(0, columns).mapToObj(i -> String.format(format, column(i))).collect(Collectors.joining(", "));
    }

    /** Returns the name of the column for the value at this position. */
    static String column(int position) {
        return "c" + (position + 1);
    }

    /** @param values in the order of the columns, null for NULL */
    public void append(long line, List<String> values) throws SQLException {
        int from = filled;
        write(Long.toString(sent.rows() + 1).getBytes(StandardCharsets.US_ASCII));
        write((byte) '\t');
        write(Long.toString(line).getBytes(StandardCharsets.US_ASCII));
        for (String value : values) {
            write((byte) '\t');
            if (value == null) {
                write((byte) '\\');
                write((byte) 'N');
            } else {
                CopyText.escape(value.getBytes(StandardCharsets.UTF_8), this::write);
            }
        }
        sent = sent.plus(new Content(1, RowDigest.ofLine(buffer, from, filled - from)));
        write((byte) '\n');
        if (filled >= CHUNK) send();
    }

    private void write(byte[] text) {
        for (byte next : text) write(next);
    }

    private void write(byte next) {
        if (filled == buffer.length) buffer = Arrays.copyOf(buffer, 2 * buffer.length);
        buffer[filled++] = next;
    }

    private void send() throws SQLException {
        copy.writeToCopy(buffer, 0, filled);
        filled = 0;
        if (buffer.length > 2 * CHUNK) buffer = new byte[2 * CHUNK];
    }

    /** Sends the remaining data and ends the COPY. */
    public void finish() throws SQLException {
        send();
        copy.endCopy();
        Sql.execute(connection, "ANALYZE " + TABLE);
    }

    /** Returns the number of records. */
    long records() {
        return sent.rows();
    }

    /**
     * Reads the table and compares it with what was sent.
     *
     * @throws Fault.ImportMismatch when it does not hold exactly the records that were read from the file
     */
    public void verify() throws SQLException {
        Content arrived = content(connection, "SELECT record, line, " + names("%s") + " FROM " + TABLE);
        if (!arrived.equals(sent))
            throw new Fault.ImportMismatch("the file has " + sent.rows() + " records with digest " + sent.digest()
                    + ", and the server received " + arrived.rows() + " with digest " + arrived.digest()
                    + ". The import was rolled back: nothing was changed");
    }

    /** Returns count and digest of a query's rows. */
    static Content content(Connection connection, String query) throws SQLException {
        var content = new Object() {
            Content all = Content.NONE;
        };
        TableReader.stream(connection, query,
                line -> content.all = content.all.plus(new Content(1, RowDigest.ofLine(line, 0, line.length - 1))));
        return content.all;
    }

    /** Returns the lines of the file on which these records begin. */
    static Map<Long, Long> lines(Connection connection, Collection<Long> records) throws SQLException {
        var lines = new LinkedHashMap<Long, Long>();
        try (var query = connection
                .prepareStatement("SELECT record, line FROM " + TABLE + " WHERE record OPERATOR(pg_catalog.=) ANY (?) ORDER BY record")) {
            query.setArray(1, connection.createArrayOf("bigint", records.toArray()));
            try (var row = query.executeQuery()) {
                while (row.next()) lines.put(row.getLong(1), row.getLong(2));
            }
        }
        return lines;
    }

    /** Cancels the COPY unless it was finished. */
    @Override
    public void close() throws SQLException {
        if (copy.isActive()) copy.cancelCopy();
    }
}
