package lockstep.masterdata.handler;

import java.time.Instant;
import java.util.List;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.engine.Manifest.TableManifest;
import lockstep.masterdata.engine.Sealer;
import lockstep.masterdata.engine.SyncPaths;

/** Makes and signs the manifest when every batch was dumped. */
public final class SealManifest extends JsonFunction<SealManifest.Event, SealManifest.Answer> {
    public record Event(SourceSync sync, List<BatchOutcome> outcomes) {}

    public record Answer(String manifestKey, Instant snapshotTime, long rows, int parts, BatchOutcome.Workers workers) {}

    public SealManifest() {
        super(Event.class);
    }

    @Override
    Answer handle(Event event, Instant deadline) {
        BatchOutcome.check("of the dump", event.outcomes());
        SourceSync sync = event.sync();
        var sealer = new Sealer(Clients.store(sync.bucket()), Clients.signature(sync.signingKeyArn()));
        boolean dryRun = sync.terms().isDryRun();
        var manifest = dryRun ? sealer.sealRehearsal(sync.dataSet(), sync.paths(), sync.release()) : sealer.seal(sync.dataSet(), sync.paths(), sync.release());
        return new Answer(dryRun ? SyncPaths.rehearsal(sync.dataSet().name(), sync.syncId()) : sync.paths().manifest(), manifest.snapshotTime(), manifest.tables().stream().mapToLong(TableManifest::rows).sum(),
                manifest.tables().stream().mapToInt(t -> t.parts().size()).sum(), BatchOutcome.Workers.of(event.outcomes()));
    }
}
