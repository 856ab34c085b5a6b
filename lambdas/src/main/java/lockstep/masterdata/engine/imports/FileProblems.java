package lockstep.masterdata.engine.imports;

import java.util.ArrayList;
import java.util.List;
import lockstep.masterdata.engine.Fault;

/** The problems of a file to be imported. They are reported together, but with only a few lines of each kind. */
final class FileProblems {
    /** How many lines of one kind are listed. */
    static final int SAMPLES = 5;

    private static final int LONGEST_VALUE = 80;

    private final List<String> problems = new ArrayList<>();

    void add(String problem) {
        problems.add(problem);
    }

    boolean isEmpty() {
        return problems.isEmpty();
    }

    /** @throws Fault.FileRefused when there are any problems */
    void refuse() {
        if (!problems.isEmpty()) throw refusal(String.join("\n", problems));
    }

    static Fault.FileRefused refusal(String problem) {
        return new Fault.FileRefused(problem + "\nNothing was changed", null);
    }

    /** Returns a value on one line, truncated when it is long. */
    static String shown(String value) {
        return shown(value, LONGEST_VALUE);
    }

    static String shown(String value, int longest) {
        return value == null ? null : cut(value, longest).replace("\r", "\\r").replace("\n", "\\n");
    }

    /** Returns a value, truncated when it is long. */
    static String cut(String value) {
        return value == null ? null : cut(value, LONGEST_VALUE);
    }

    private static String cut(String value, int longest) {
        return value.codePointCount(0, value.length()) <= longest ? value : value.substring(0, value.offsetByCodePoints(0, longest)) + "…";
    }

    /** Returns {@code and 3 more}, or an empty string. */
    static String more(long all) {
        return all <= SAMPLES ? "" : " and " + (all - SAMPLES) + " more";
    }
}
