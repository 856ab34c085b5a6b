package lockstep.masterdata.handler;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import lockstep.landscape.DataSet;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.SyncPaths;
import lockstep.masterdata.engine.imports.TableImport;

/** Imports a new edition of a table into the source. A refused file is a regular answer and not an error of the function. */
public final class ImportTable extends JsonFunction<ImportTable.Event, TableImport.Answer> {
    private static final Duration LOCK_TIMEOUT = Duration.ofSeconds(20);

    /**
     * @param importId  names the file in the bucket
     * @param secretArn the secret of the source's writer, which may write only tables of its data sets
     */
    public record Event(String importId, DataSet dataSet, String bucket, String secretArn, Request request) {}

    /** The caller's part of the event. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Request(String table, Optional<Boolean> dryRun, Optional<Boolean> round) {}

    public ImportTable() {
        super(Event.class);
    }

    @Override
    TableImport.Answer handle(Event event, Instant deadline) {
        String key = new SyncPaths(event.dataSet().name(), event.importId()).imported();
        var store = Clients.store(event.bucket());
        try {
            var outcome = new TableImport(Clients.database(event.secretArn()), LOCK_TIMEOUT).run(event.dataSet(), event.request().table(),
                    () -> store.open(key)
                            .orElseThrow(() -> new Fault.InvalidRequest(
                                    "s3://" + event.bucket() + "/" + key + " does not exist: upload the file first")),
                    event.request().dryRun().orElse(false), event.request().round().orElse(false));
            return new TableImport.Answer(Optional.of(outcome), Optional.empty());
        } catch (Fault.FileRefused e) {
            return new TableImport.Answer(Optional.empty(), Optional.of(e.getMessage()));
        }
    }
}
