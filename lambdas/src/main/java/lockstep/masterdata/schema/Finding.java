package lockstep.masterdata.schema;

/**
 * A problem that would make a sync fail or behave unexpectedly.
 *
 * @param place  the table, column, type or schema, or {@code database}
 * @param what   the problem, as a clause that names the object: {@code column m.drug.price does not exist}
 * @param remedy the statement that fixes it, or the line to add to lockstep.yaml
 */
public record Finding(Severity severity, Kind kind, String place, String what, String remedy) {
    public enum Severity {
        /** A sync fails, either now or when it changes such a row. */
        error,
        /** A sync may fail or behave unexpectedly. */
        warning
    }

    /** What a finding is about; it decides how Preflight treats it. */
    public enum Kind {
        /** Tables, columns, types and constraints. */
        schema,
        /** Grants, logins and settings. */
        access,
        /** Row-level security. */
        policy,
        /** Triggers that change the rows of a sync. */
        trigger
    }

    static Finding error(Kind kind, String place, String what, String remedy) {
        return new Finding(Severity.error, kind, place, what, remedy);
    }

    static Finding warning(Kind kind, String place, String what, String remedy) {
        return new Finding(Severity.warning, kind, place, what, remedy);
    }

    /** Returns the finding as a sentence, for a message about one database. */
    public String sentence() {
        return what + " (fix: " + remedy + ")";
    }
}
