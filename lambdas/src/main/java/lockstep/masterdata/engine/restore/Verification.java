package lockstep.masterdata.engine.restore;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.copy.Content;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.parts.Part;
import lockstep.masterdata.engine.postgres.ContentReader;
import lockstep.masterdata.engine.postgres.Key;
import lockstep.masterdata.engine.postgres.RowSecurity;
import lockstep.masterdata.engine.postgres.Schema.TableInfo;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.masterdata.engine.postgres.WriteFingerprint;
import lockstep.masterdata.engine.restore.Merge.Changes;
import lockstep.masterdata.engine.restore.Publisher.TableResult;

/**
 * Compares the target's rows with the manifest. A table whose earlier content was unknown is read completely after the merge. If its
 * earlier content is known from manifests, only the rows that the merge touches are read, before and after it, and the server's count must
 * show that no other rows were written. The other rows were verified by an earlier sync; {@link WriteFingerprint} detects later writes to
 * them in Preflight.
 */
final class Verification {
    /** Rows are few below one in this many. With one in ten, PostgreSQL's own choice took less time; the limit itself was not measured. */
    private static final int FEW = 20;

    private final Connection connection;
    private final Accepted accepted;
    private final Manifest manifest;
    private final Staging staging;
    private final Map<String, TableInfo> tables;

    Verification(Connection connection, Accepted accepted, Staging staging, Map<String, TableInfo> tables) {
        this.connection = connection;
        this.tables = tables;
        this.accepted = accepted;
        this.manifest = accepted.manifest();
        this.staging = staging;
    }

    /** @throws Fault.Drifted when a table's content is not what its plan assumes */
    void beforeMerge() throws SQLException {
        var drifted = new ArrayList<String>();
        var reader = new ContentReader(connection, manifest.dataSet());
        for (TableManifest table : manifest.tables()) {
            TablePlan tablePlan = accepted.tablePlan(table);
            if (tablePlan.whole()) continue;
            Content going = tablePlan.steps().stream().map(TablePlan.Step::goes).reduce(Content.NONE, Content::plus);
            if (!tablePlan.steps().isEmpty()
                    && !readAsStaged(reader, table, tablePlan, isIn(staging.going(table, tables.get(table.name())), table)).equals(going)
                    || !tablePlan.parts().isEmpty() && !reader.read(table, ranges(table, tablePlan)).equals(tablePlan.partsBefore()))
                drifted.add(table.name());
        }
        if (!drifted.isEmpty()) throw drifted(drifted, "differ from what the sync in force wrote");
    }

    /**
     * Verifies the tables and returns the results.
     *
     * @throws Fault.VerificationFailed when a table that was planned to be read completely does not match the manifest
     * @throws Fault.Drifted            when another table does not match, so that Preflight has to read it
     */
    List<TableResult> afterMerge(Map<String, Changes> changes) throws SQLException {
        if (manifest.tables().isEmpty()) throw new Fault.VerificationFailed("the manifest names no table: there is nothing to verify");
        var results = new ArrayList<TableResult>();
        var wrong = new ArrayList<String>();
        var drifted = new ArrayList<String>();
        var reader = new ContentReader(connection, manifest.dataSet());
        var written = WriteFingerprint.written(connection,
                accepted.tablePlans().stream().filter(r -> r.mark().isPresent()).map(TablePlan::table).toList());
        for (TableManifest table : manifest.tables()) {
            TablePlan tablePlan = accepted.tablePlan(table);
            Changes made = changes.getOrDefault(table.name(), new Changes());
            if (tablePlan.whole() || made.uncounted) {
                Content found = reader.read(table);
                if (!found.equals(table.content())) {
                    if (tablePlan.whole()) wrong.add(difference(table, found));
                    else drifted.add(table.name());
                }
            } else if (!touchedRowsAreRight(reader, table, tablePlan, made, Optional.ofNullable(written.get(table.name())))) {
                drifted.add(table.name());
            }
            results.add(new TableResult(table.name(), table.rows(), table.digest(), made.inserted, made.updated, made.deleted,
                    reader.kept(table.name()), List.of()));
        }
        if (!wrong.isEmpty()) throw failed(wrong);
        if (!drifted.isEmpty()) throw drifted(drifted, "are wrong where the merge changed them");
        return results;
    }

    private boolean touchedRowsAreRight(ContentReader reader, TableManifest table, TablePlan tablePlan, Changes made,
            Optional<Long> written) throws SQLException {
        // if the server counted writes in Preflight, its count must be available now and match
        if (tablePlan.mark().isPresent() && written.filter(w -> w == made.writes()).isEmpty()) return false;
        if (!tablePlan.stagesAnything()) return true;
        // of the staged rows, exactly those that came must exist
        if (!readAsStaged(reader, table, tablePlan, isIn(cameOrWent(table, tablePlan), table)).equals(tablePlan.comes())) return false;
        return tablePlan.parts().isEmpty() || reader.read(table, ranges(table, tablePlan)).equals(Part.contentOf(tablePlan.parts()));
    }

    /** Reads every table completely and compares it with the manifest. */
    static List<TableResult> ofEverything(Connection connection, Manifest manifest) throws SQLException {
        var results = new ArrayList<TableResult>();
        var wrong = new ArrayList<String>();
        RowSecurity.seeEveryRow(connection, manifest.tables().stream().map(TableManifest::name).toList());
        var reader = new ContentReader(connection, manifest.dataSet());
        for (TableManifest table : manifest.tables()) {
            Content found = reader.read(table);
            if (!found.equals(table.content())) wrong.add(difference(table, found));
            results.add(new TableResult(table.name(), found.rows(), found.digest(), 0, 0, 0, reader.kept(table.name()), List.of()));
        }
        if (!wrong.isEmpty()) throw failed(wrong);
        return results;
    }

    /** Looks few rows up by key. For more, PostgreSQL chooses the join. */
    private Content readAsStaged(ContentReader reader, TableManifest table, TablePlan tablePlan, String restriction) throws SQLException {
        boolean few = tablePlan.stagesOnlyDeltas() && tablePlan.comes().rows() < table.rows() / FEW;
        return Sql.byKey(connection, few, () -> reader.read(table, restriction));
    }

    private String ranges(TableManifest table, TablePlan tablePlan) {
        return key(table).within("t", tablePlan.parts());
    }

    private String cameOrWent(TableManifest table, TablePlan tablePlan) {
        TableInfo info = tables.get(table.name());
        if (tablePlan.steps().isEmpty()) return staging.coming(table, info);
        String key = Sql.columns("", table.key());
        return "(SELECT " + key + " FROM " + staging.coming(table, info) + " c UNION ALL SELECT " + key + " FROM "
                + staging.going(table, info) + " g)";
    }

    private String isIn(String staged, TableManifest table) {
        Key key = key(table);
        return "EXISTS (SELECT FROM " + staged + " s WHERE " + key.equal(key.of("t"), key.of("s")) + ")";
    }

    private Key key(TableManifest table) {
        return tables.get(table.name()).knownKey(table.key());
    }

    private static String difference(TableManifest table, Content found) {
        return table.name() + " has " + found.rows() + " rows with digest " + found.digest() + " instead of " + table.rows() + " with "
                + table.digest();
    }

    private static Fault failed(List<String> wrong) {
        return new Fault.VerificationFailed(
                "after the merge " + String.join("; ", wrong) + ". The merge was rolled back: nothing was changed");
    }

    private static Fault drifted(List<String> tables, String what) {
        return new Fault.Drifted("rows of " + String.join(", ", tables) + " " + what
                + ": something else writes to them. Preflight must read them again; nothing was changed", tables);
    }
}
