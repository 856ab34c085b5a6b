package lockstep.masterdata.handler;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import lockstep.landscape.Check;
import lockstep.landscape.DataSet;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.check.Queries;
import lockstep.masterdata.check.SqlCheck;
import lockstep.masterdata.watch.SourceActivity;
import lockstep.masterdata.engine.postgres.RowSecurity;
import lockstep.masterdata.engine.postgres.SchemaCheck;
import lockstep.masterdata.engine.restore.ShardReport;
import lockstep.masterdata.schema.ShardInspection;

/** Tells what a shard really holds of a data set, or only how far a running restore is, or what the check by SQL alone finds, or the user's own queries, or whether somebody wrote to it, or how its schema is described. */
public final class ReportStatus extends JsonFunction<ReportStatus.Event, Object> {
    public record Event(DataSet dataSet, boolean progressOnly, Optional<Boolean> sqlCheck, Optional<List<Check>> checks, Optional<Boolean> written, Optional<SchemaRequest> schema) {}

    /**
     * Asks for a {@link ShardInspection.Answer}.
     *
     * @param source whether this shard is the data set's source
     * @param writer the login by which the shard's rows are written
     */
    public record SchemaRequest(boolean source, String writer) {}

    private final String readerSecretArn;

    public ReportStatus() {
        super(Event.class);
        this.readerSecretArn = System.getenv("READER_SECRET_ARN");
    }

    /** @return a {@link ShardReport}, or {@link SqlCheck.Sums}, or {@link Queries.Results}, or {@link SourceActivity}, or {@link ShardInspection.Answer} */
    @Override
    Object handle(Event event, Instant deadline) {
        var database = Clients.database(readerSecretArn);
        if (event.sqlCheck().orElse(false)) return database.run(connection -> {
            RowSecurity.seeEveryRow(connection, event.dataSet());
            return SqlCheck.of(connection, event.dataSet());
        });
        if (event.checks().isPresent()) return database.run(connection -> Queries.run(connection, event.checks().get()));
        if (event.written().orElse(false)) return SourceActivity.now(database, event.dataSet());
        if (event.schema().isPresent()) return SchemaCheck.report(database, event.dataSet(), event.schema().get().source(), event.schema().get().writer());
        return event.progressOnly() ? ShardReport.progress(database, event.dataSet()) : ShardReport.read(database, event.dataSet());
    }
}
