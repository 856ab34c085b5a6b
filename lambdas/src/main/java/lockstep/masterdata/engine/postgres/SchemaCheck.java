package lockstep.masterdata.engine.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import lockstep.landscape.DataSet;
import lockstep.landscape.Keep;
import lockstep.landscape.Table;
import lockstep.landscape.Triggers;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.schema.Finding.Kind;
import lockstep.masterdata.schema.Finding.Severity;
import lockstep.masterdata.schema.Finding;
import lockstep.masterdata.schema.SchemaComparison;
import lockstep.masterdata.schema.SchemaDescription.ColumnDescription;
import lockstep.masterdata.schema.SchemaDescription.TableDescription;
import lockstep.masterdata.schema.SchemaDescription;
import lockstep.masterdata.schema.ShardInspection.Logins;
import lockstep.masterdata.schema.ShardInspection;

/**
 * Checks a database's schema: at the source when the snapshot is taken, at a target before anything is copied, and for {@code lockstep
 * check}.
 */
public final class SchemaCheck {
    private SchemaCheck() {}

    /**
     * Checks the source and describes the tables of the data set.
     *
     * @throws Fault.SchemaMismatch naming everything that the source lacks
     * @throws Fault.AccessRefused  when only grants are missing, with the statements that add them
     */
    public static SchemaDescription atSource(Connection connection, String database, DataSet dataSet) throws SQLException {
        var answer = ShardInspection.ofSource(connection, dataSet, new Logins(Optional.of(user(connection)), Optional.empty()));
        var findings = new ArrayList<>(SchemaComparison.ofSource(dataSet, answer.description()));
        findings.addAll(answer.findings());
        refuse(findings, "the source " + database + " does not fit data set '" + dataSet.name() + "'",
                ". Fix lockstep.yaml or migrate the source");
        return answer.description();
    }

    /**
     * Checks whether a target can take a manifest.
     *
     * @return warnings: findings that do not stop the sync but may make it fail
     * @throws Fault.SchemaMismatch naming everything that does not fit
     * @throws Fault.AccessRefused  when only grants are missing, with the statements that add them
     */
    public static List<String> atTarget(Connection connection, String database, Manifest manifest, Triggers triggers) throws SQLException {
        var dataSet = dataSet(manifest, triggers);
        var answer = ShardInspection.ofTarget(connection, dataSet, new Logins(Optional.empty(), Optional.of(user(connection))));
        var findings = new ArrayList<>(
                SchemaComparison.ofTarget(dataSet, manifest.schema().orElseGet(() -> columnsOf(manifest)), answer.description()));
        findings.addAll(answer.findings());
        refuse(findings, "the target " + database + " can't take sync " + manifest.syncId(),
                ". Nothing was changed. Migrate the target to release " + manifest.release()
                        + "; lockstep check prints the statements that fix each of these");
        return findings.stream().filter(f -> !isRefused(f) && f.kind() != Kind.policy).map(Finding::sentence).toList();
    }

    /** Describes a shard for {@code lockstep check}. The database is accessed as the reader. */
    public static ShardInspection.Answer report(Database database, DataSet dataSet, boolean source, String writer) {
        return database.run(connection -> {
            Sql.execute(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
            var logins = new Logins(Optional.of(user(connection)), Optional.of(writer));
            if (!source) return ShardInspection.ofTarget(connection, dataSet, logins);
            return ShardInspection.withHighest(connection, dataSet, ShardInspection.ofSource(connection, dataSet, logins));
        });
    }

    private static String user(Connection connection) throws SQLException {
        return connection.getMetaData().getUserName();
    }

    /**
     * Reports whether this finding stops a sync. Triggers do not, because what their source suggests need not happen in this sync. Policies
     * do not, because {@link RowSecurity} checks them.
     */
    private static boolean isRefused(Finding finding) {
        return finding.severity() == Severity.error && finding.kind() != Kind.trigger && finding.kind() != Kind.policy;
    }

    private static void refuse(List<Finding> findings, String subject, String remedy) {
        var refused = findings.stream().filter(SchemaCheck::isRefused).toList();
        if (refused.isEmpty()) return;
        boolean schema = refused.stream().anyMatch(f -> f.kind() == Kind.schema);
        String message = subject + ": "
                + refused.stream().map(f -> f.kind() == Kind.access ? f.sentence() : f.what()).collect(Collectors.joining("; "));
        if (schema) throw new Fault.SchemaMismatch(message + remedy);
        throw new Fault.AccessRefused(message + ". Nothing was changed; prepare-database grants what the sync's logins need", null);
    }

    private static DataSet dataSet(Manifest manifest, Triggers triggers) {
        return new DataSet(manifest.dataSet(), manifest.source(),
                manifest.tables().stream().map(t -> new Table(t.name(), t.columnNames(), t.key(), t.where())).toList(), Keep.DEFAULT,
                triggers);
    }

    /** Describes the source by the columns in a manifest that has no schema description. */
    private static SchemaDescription columnsOf(Manifest manifest) {
        return new SchemaDescription(false, manifest.tables().stream().map(SchemaCheck::columnsOf).toList(), Map.of());
    }

    private static TableDescription columnsOf(TableManifest table) {
        var columns = table.columns().stream().map(c -> new ColumnDescription(c.name(), c.type(), false, false, true, Optional.empty()))
                .toList();
        return new TableDescription(table.name(), "table", false, false, columns, List.of(), List.of(), List.of(), List.of());
    }
}
