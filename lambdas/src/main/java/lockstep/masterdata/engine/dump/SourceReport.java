package lockstep.masterdata.engine.dump;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.copy.Content;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.postgres.ContentReader;
import lockstep.masterdata.engine.postgres.Database;
import lockstep.masterdata.engine.postgres.RowSecurity;
import lockstep.masterdata.engine.postgres.SourceFingerprints;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.masterdata.engine.restore.ShardReport.TableContent;
import lockstep.masterdata.engine.restore.ShardReport;

/** Reports the source's content. Tables to which nobody has written since a manifest are not read. */
public final class SourceReport {
    private SourceReport() {}

    /** @param known the tables of a manifest; their parts and deltas are not needed */
    public static ShardReport read(Database source, DataSet dataSet, List<TableManifest> known) {
        return source.run(connection -> {
            var before = SourceFingerprints.read(connection, dataSet);
            Sql.execute(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
            var fingerprints = before.inSnapshot(connection);
            RowSecurity.seeEveryRow(connection, dataSet);
            var byName = SnapshotHolder.columns(connection, dataSet, fingerprints, Instant.EPOCH).stream().flatMap(columns -> known.stream()
                    .filter(t -> t.name().equals(columns.name()) && t.columns().equals(columns.columns()) && t.fingerprint().isPresent()))
                    .filter(t -> isOf(dataSet, t)).collect(Collectors.toMap(TableManifest::name, Function.identity()));
            var unwritten = fingerprints.unwritten(connection, dataSet, byName.values().stream()
                    .collect(Collectors.toMap(TableManifest::name, t -> t.fingerprint().orElseThrow())), tables -> Duration.ZERO);
            var reader = new ContentReader(connection, dataSet.name());
            var tables = new ArrayList<TableContent>();
            for (Table table : dataSet.tables()) {
                boolean read = !unwritten.contains(table.name());
                Content content = read ? reader.read(table.name(), table.columns(), table.key(), table.where(), "true")
                        : byName.get(table.name()).content();
                tables.add(new TableContent(table.name(), content.rows(), content.digest(), reader.kept(table.name()), read));
            }
            return new ShardReport(Optional.empty(), tables, List.of(), List.of());
        });
    }

    private static boolean isOf(DataSet dataSet, TableManifest known) {
        return dataSet.table(known.name()).filter(t -> t.key().equals(known.key()) && t.where().equals(known.where())).isPresent();
    }
}
