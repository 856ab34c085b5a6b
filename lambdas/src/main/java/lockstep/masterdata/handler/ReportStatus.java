package lockstep.masterdata.handler;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.JsonTypeName;
import java.time.Instant;
import java.util.List;
import lockstep.landscape.Check;
import lockstep.landscape.DataSet;
import lockstep.landscape.DatabaseUser;
import lockstep.landscape.Names;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.check.Queries;
import lockstep.masterdata.check.SqlCheck;
import lockstep.masterdata.engine.dump.SourceReport;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.watch.SourceActivity;
import lockstep.masterdata.engine.postgres.RowSecurity;
import lockstep.masterdata.engine.postgres.SchemaCheck;
import lockstep.masterdata.engine.restore.ShardReport.Rows;
import lockstep.masterdata.engine.restore.ShardReport;
import lockstep.masterdata.schema.ShardInspection;

/** Reports the state of a shard's master data, read from its own database. */
public final class ReportStatus extends JsonFunction<ReportStatus.Event, Object> {
    public record Event(String shard, DataSet dataSet, Request request) {}

    /** A request. The comment of each kind names its answer. */
    @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
    @JsonSubTypes({@JsonSubTypes.Type(Report.class), @JsonSubTypes.Type(Progress.class), @JsonSubTypes.Type(Sums.class),
            @JsonSubTypes.Type(Checks.class), @JsonSubTypes.Type(Activity.class),
            @JsonSubTypes.Type(Schema.class)})
    public sealed interface Request {}

    /**
     * Reports the content of every table: a {@link ShardReport}.
     *
     * @param rows  which tables are read; all if null
     * @param known at the source: tables of the newest manifest, without parts. Tables to which nobody has written since are not read
     */
    @JsonTypeName("report")
    public record Report(Rows rows, List<TableManifest> known) implements Request {
        public Report {
            // callers of earlier releases expect that every table is read
            if (rows == null) rows = Rows.ALL;
            known = known == null ? List.of() : List.copyOf(known);
        }

        public Report(Rows rows) {
            this(rows, List.of());
        }
    }

    /** Reads which sync is in force and what is staged, but no table: a {@link ShardReport}. */
    @JsonTypeName("progress")
    public record Progress() implements Request {}

    /** Computes checksums with SQL alone: {@link SqlCheck.Sums}. */
    @JsonTypeName("sums")
    public record Sums() implements Request {}

    /** Runs the queries of {@code lockstep.yaml}: {@link Queries.Results}. */
    @JsonTypeName("checks")
    public record Checks(List<Check> checks) implements Request {}

    /** Reads the fingerprints of the source's tables: {@link SourceActivity}. */
    @JsonTypeName("activity")
    public record Activity() implements Request {}

    /**
     * Describes the shard's schema and its own problems: a {@link ShardInspection.Answer}.
     *
     * @param source whether this shard is the data set's source
     * @param writer the login that writes the shard's rows
     */
    @JsonTypeName("schema")
    public record Schema(boolean source, String writer) implements Request {}

    public ReportStatus() {
        super(Event.class);
    }

    @Override
    Object handle(Event event, Instant deadline) {
        var database = Clients.database(Names.secret(event.shard(), DatabaseUser.READER));
        DataSet dataSet = event.dataSet();
        return switch (event.request()) {
            case Report report -> report.known().isEmpty() ? ShardReport.read(database, dataSet, report.rows())
                    : SourceReport.read(database, dataSet, report.known());
            case Progress progress -> ShardReport.progress(database, dataSet);
            case Sums sums -> database.run(connection -> {
                RowSecurity.seeEveryRow(connection, dataSet);
                return SqlCheck.of(connection, dataSet);
            });
            case Checks checks -> database.run(connection -> Queries.run(connection, checks.checks()));
            case Activity activity -> SourceActivity.now(database, dataSet);
            case Schema schema -> SchemaCheck.report(database, dataSet, schema.source(), schema.writer());
        };
    }
}
