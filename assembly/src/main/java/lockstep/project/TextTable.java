package lockstep.project;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A table on a terminal: columns of a least width, which grow with their contents, and notes between the rows. No library prints that:
 * picocli's TextTable has no right alignment and fixed widths, and ascii-table has no notes.
 */
public final class TextTable {
    private record Column(String header, int width, boolean right) {}

    private final List<Column> columns = new ArrayList<>();
    /** Each is the cells of a row, or a note as its only element. */
    private final List<List<String>> lines = new ArrayList<>();

    public TextTable left(String header, int width) {
        columns.add(new Column(header, width, false));
        return this;
    }

    public TextTable right(String header, int width) {
        columns.add(new Column(header, width, true));
        return this;
    }

    /** @param cells whole numbers are printed with separators, and empty values as a hyphen */
    public void row(Object... cells) {
        var row = new ArrayList<String>();
        for (Object cell : cells) {
            row.add(switch (cell) {
                case Long number -> String.format(Locale.ROOT, "%,d", number);
                case Optional<?> value -> value.map(Object::toString).orElse("-");
                default -> cell.toString();
            });
        }
        lines.add(row);
    }

    /** Adds a line that does not belong to a column. */
    public void note(String line) {
        lines.add(List.of(line));
    }

    /** Returns the lines without a line break at the end. */
    @Override
    public String toString() {
        var headers = columns.stream().map(Column::header).toList();
        return Stream.concat(Stream.of(headers), lines.stream()).map(line -> line.size() == 1 ? line.getFirst() : text(line))
                .collect(Collectors.joining("\n"));
    }

    private String text(List<String> row) {
        var text = new StringBuilder();
        for (int i = 0; i < row.size(); i++) {
            String cell = row.get(i), padding = " ".repeat(width(i) - visible(cell));
            text.append(i == 0 ? "" : "  ").append(columns.get(i).right() ? padding + cell : cell + padding);
        }
        return text.toString().stripTrailing();
    }

    private int width(int i) {
        int least = Math.max(columns.get(i).width(), visible(columns.get(i).header()));
        return lines.stream().filter(line -> line.size() > 1).mapToInt(line -> visible(line.get(i))).reduce(least, Math::max);
    }

    /** Returns the length without colours. */
    private static int visible(String cell) {
        return cell.replaceAll("\033\\[\\d*m", "").length();
    }
}
