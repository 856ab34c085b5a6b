package lockstep.masterdata.engine.restore;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import lockstep.masterdata.engine.copy.CopyText;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.parts.Packed;
import lockstep.masterdata.engine.postgres.Schema.ColumnInfo;
import lockstep.masterdata.engine.postgres.Schema.TableInfo;
import lockstep.masterdata.engine.postgres.Sql;

/**
 * Writes the rows of small deltas, which are stored in the manifest itself, into SQL statements. Creating, filling and dropping staging
 * tables takes far longer than merging so few rows.
 */
final class InlineRows {
    /** The size of all rows of a table, as COPY text, up to which they are written into statements. */
    private static final long MAX_TEXT_BYTES = 16 << 10;

    private InlineRows() {}

    /** Reports whether the plan's rows can be written into statements. */
    static boolean fit(TablePlan plan, TableManifest table, TableInfo info) {
        return plan.stagesOnlyDeltas() && plan.steps().stream().allMatch(s -> Packed.isInline(s.delta().object()))
                && plan.steps().stream().mapToLong(s -> s.delta().textBytes()).sum() <= MAX_TEXT_BYTES
                // a value of the table's row type has all its columns, and the domain of one that is missing may not accept NULL
                && info.columns().values().stream().noneMatch(c -> c.domain() && !table.columnNames().contains(c.name()));
    }

    /** Returns a relation with the columns of the data set, for a FROM clause. PostgreSQL parses the values as COPY would. */
    static String relation(TableManifest table, TableInfo info, List<byte[]> lines) {
        var names = table.columnNames();
        String rows = lines.stream().map(line -> quoted(row(info, names, CopyText.values(line))))
                .collect(Collectors.joining(",", "{", "}"));
        return "(SELECT " + Sql.columns("r.", names) + " FROM pg_catalog.unnest(" + Sql.literal(rows) + "::" + Sql.table(table.name())
                + "[]) r)";
    }

    private static String row(TableInfo info, List<String> names, List<Optional<String>> values) {
        return info.columns().values().stream().map(ColumnInfo::name).map(names::indexOf)
                .map(at -> at < 0 ? "" : values.get(at).map(InlineRows::quoted).orElse("")).collect(Collectors.joining(",", "(", ")"));
    }

    /** Quotes an element of an array or a field of a row. */
    private static String quoted(String value) {
        return '"' + value.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
