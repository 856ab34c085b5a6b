package lockstep.masterdata.engine.imports;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import lockstep.masterdata.engine.Fault;

/**
 * Matches the first line of a file with the data set's columns of the table. Case and surrounding blanks are ignored, unless two columns
 * differ only in these.
 */
final class ImportHeader {
    private ImportHeader() {}

    /**
     * Returns, for each field of the file, the position of its column in the data set's list.
     *
     * @throws Fault.FileRefused when the header does not name each column exactly once
     */
    static List<Integer> match(String table, List<String> columns, List<String> header) {
        var cells = header.stream().map(cell -> cell == null ? "" : cell).toList();
        var positions = cells.stream().map(cell -> position(columns, cell)).toList();
        var found = new LinkedHashSet<>(positions);
        if (!found.contains(-1) && positions.size() == columns.size() && found.size() == columns.size()) return positions;
        if (found.equals(java.util.Set.of(-1))) throw refused(withoutHeader(cells), table, columns);

        var problems = new ArrayList<String>();
        var missing = columns.stream().filter(c -> !found.contains(columns.indexOf(c))).toList();
        if (!missing.isEmpty()) problems.add("it lacks " + String.join(", ", missing));
        var unknown = cells.stream().filter(c -> position(columns, c) < 0).toList();
        if (!unknown.isEmpty()) problems.add("it has " + unknown.stream().map(u -> unknown(columns, u)).collect(Collectors.joining(", "))
                + ", which the data set does not have");
        var twice = columns.stream().filter(c -> positions.stream().filter(p -> p == columns.indexOf(c)).count() > 1).toList();
        if (!twice.isEmpty()) problems.add("it names " + String.join(", ", twice) + " more than once");
        throw refused("line 1: the header does not fit: " + String.join("; ", problems), table, columns);
    }

    private static Fault refused(String problem, String table, List<String> columns) {
        return FileProblems.refusal(problem + ". The header must name the columns that the data set has of " + table + ", in any order: "
                + String.join(",", columns));
    }

    private static String withoutHeader(List<String> cells) {
        String line = FileProblems.shown(String.join(",", cells));
        if (cells.size() == 1 && (cells.getFirst().contains(";") || cells.getFirst().contains("\t")))
            return "line 1: the file is not comma-separated: it begins with '" + line + "'. Save it with commas";
        return "line 1: the file has no header: it begins with '" + line + "', which has no name of a column";
    }

    private static String unknown(List<String> columns, String cell) {
        var alike = alike(columns, cell);
        if (alike.size() > 1) return "'" + cell + "' (" + String.join(" or ", alike) + "?)";
        return cell.isBlank() ? "a column without a name" : cell;
    }

    private static int position(List<String> columns, String cell) {
        int exact = columns.indexOf(cell);
        if (exact < 0) exact = columns.indexOf(cell.strip());
        if (exact >= 0) return exact;
        var alike = alike(columns, cell);
        return alike.size() == 1 ? columns.indexOf(alike.getFirst()) : -1;
    }

    private static List<String> alike(List<String> columns, String cell) {
        return columns.stream().filter(c -> folded(c).equals(folded(cell))).toList();
    }

    private static String folded(String name) {
        return name.strip().toLowerCase(Locale.ROOT);
    }
}
