package lockstep.masterdata.engine.imports;

import java.io.IOException;
import java.util.List;

/**
 * A place in a CSV file that cannot be read as CSV.
 *
 * @param line  counted from 1
 * @param field counted from 0, or {@link #WHOLE_LINE}
 * @param what  a sentence without a full stop
 */
public record CsvProblem(long line, int field, String what) {
    static final int WHOLE_LINE = -1;
    /** Where the parser is: only it knows the field. */
    static final int CURRENT_FIELD = -2;

    /** The problem with its place, and with the name of its column when the header is known. */
    String text(List<String> header) {
        String column = field < 0 ? "" : field < header.size() ? ", column " + header.get(field) : ", field " + (field + 1);
        return "line " + line + column + ": " + what;
    }

    /** Thrown when reading cannot go on after the problem. */
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
