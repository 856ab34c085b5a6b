package lockstep.masterdata.engine.imports;

import java.io.IOException;
import java.util.List;

/**
 * A syntax error in a CSV file.
 *
 * @param line  counted from 1
 * @param field counted from 0, or {@link #WHOLE_LINE}
 * @param what  a sentence without its final full stop
 */
public record CsvProblem(long line, int field, String what) {
    static final int WHOLE_LINE = -1;
    /** The field at which the parser is; it is determined later. */
    static final int CURRENT_FIELD = -2;

    /** Returns the problem with its line, and with its column's name if the header is known. */
    String text(List<String> header) {
        String column = field < 0 ? "" : field < header.size() ? ", column " + header.get(field) : ", field " + (field + 1);
        return "line " + line + column + ": " + what;
    }

    /** Thrown when the rest of the file can't be read because of the problem. */
    public static final class Fatal extends IOException {
        private final transient CsvProblem problem;

        Fatal(CsvProblem problem) {
            super(problem.what);
            this.problem = problem;
        }

        public CsvProblem problem() {
            return problem;
        }
    }
}
