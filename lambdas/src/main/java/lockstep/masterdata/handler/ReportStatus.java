package lockstep.masterdata.handler;

import java.time.Instant;
import java.util.Optional;
import lockstep.landscape.DataSet;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.check.SqlCheck;
import lockstep.masterdata.engine.ShardReport;

/** Tells what a shard really holds of a data set, or only how far a running restore is, or what the check by SQL alone finds. */
public final class ReportStatus extends JsonFunction<ReportStatus.Event, Object> {
    public record Event(DataSet dataSet, boolean progressOnly, Optional<Boolean> sqlCheck) {}

    private final String readerSecretArn;

    public ReportStatus() {
        super(Event.class);
        this.readerSecretArn = System.getenv("READER_SECRET_ARN");
    }

    /** @return a {@link ShardReport}, or {@link SqlCheck.Sums} */
    @Override
    Object handle(Event event, Instant deadline) {
        var database = Clients.database(readerSecretArn);
        if (event.sqlCheck().orElse(false)) return database.run(connection -> SqlCheck.of(connection, event.dataSet()));
        return event.progressOnly() ? ShardReport.progress(database, event.dataSet()) : ShardReport.read(database, event.dataSet());
    }
}
