package lockstep.masterdata.handler;

import java.time.Instant;
import lockstep.landscape.DataSet;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.engine.ShardReport;

/** Tells what a shard really holds of a data set, or only how far a running restore is. */
public final class ReportStatus extends JsonFunction<ReportStatus.Event, ShardReport> {
    public record Event(DataSet dataSet, boolean progressOnly) {}

    private final String readerSecretArn;

    public ReportStatus() {
        super(Event.class);
        this.readerSecretArn = System.getenv("READER_SECRET_ARN");
    }

    @Override
    ShardReport handle(Event event, Instant deadline) {
        var database = Clients.database(readerSecretArn);
        return event.progressOnly() ? ShardReport.progress(database, event.dataSet()) : ShardReport.read(database, event.dataSet());
    }
}
