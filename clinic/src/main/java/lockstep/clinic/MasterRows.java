package lockstep.clinic;

import java.io.IOException;
import java.io.OutputStream;

/** Where the rows of the master tables come from. */
@FunctionalInterface
interface MasterRows {
    /** Writes all rows of the table as COPY text in UTF-8; leaves the stream open. */
    void write(MasterTable table, OutputStream out) throws IOException;
}
