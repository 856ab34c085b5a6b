package lockstep.migration.source;

import java.util.List;
import lockstep.masterdata.engine.postgres.TableReader.LineSink;

/** The tables of a source at one position, seen by several connections. */
public interface Snapshot extends AutoCloseable {
    /** Returns the position from which changes would have to be followed: a GTID set of MySQL, or an LSN of PostgreSQL. */
    String position();

    /** Returns ranges that together cover the table, none of which should have many more rows than that. */
    List<Range> ranges(SourceTable table, long rows);

    /** Streams the rows of a range as lines of COPY text, including their newlines. Each connection serves one thread at a time. */
    void read(int connection, Range range, LineSink sink);

    @Override
    void close();
}
