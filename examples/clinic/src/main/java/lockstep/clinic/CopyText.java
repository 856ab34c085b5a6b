package lockstep.clinic;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** PostgreSQL's COPY text format. */
final class CopyText {
    private CopyText() {}

    /** Returns a row. A list becomes an array of texts. Fields and elements of lists may be null. */
    static String row(Object... fields) {
        return Arrays.stream(fields).map(CopyText::field).collect(Collectors.joining("\t", "", "\n"));
    }

    private static String field(Object field) {
        return switch (field) {
            case null -> "\\N";
            case Boolean value -> value ? "t" : "f";
            case List<?> elements -> escaped(elements.stream().map(CopyText::element).collect(Collectors.joining(",", "{", "}")));
            default -> escaped(field.toString());
        };
    }

    private static String element(Object element) {
        return element == null ? "NULL" : '"' + element.toString().replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    private static String escaped(String text) {
        return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r");
    }
}
