package lockstep.masterdata.handler;

import java.time.Instant;
import java.util.List;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.dump.Released;
import lockstep.masterdata.engine.dump.Sealer;
import lockstep.masterdata.engine.parts.SyncPaths;

/** Lets go of the snapshot, when every batch was dumped, then makes and signs the manifest. */
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
        var store = Clients.store(sync.bucket());
        // nobody reads the source any more: its transaction need not wait for the signature
        new Released("dumped").write(store, sync.paths());
        var sealer = new Sealer(store, Clients.signature(sync.signingKeyArn()));
        // where no restore takes it from; a state of its own admits it, if it is no dry run
        var manifest = sealer.seal(sync.dataSet(), sync.paths(), sync.release());
        return new Answer(SyncPaths.rehearsal(sync.dataSet().name(), sync.syncId()), manifest.snapshotTime(), manifest.tables().stream().mapToLong(TableManifest::rows).sum(),
                manifest.tables().stream().mapToInt(t -> t.parts().size()).sum(), BatchOutcome.Workers.of(event.outcomes()));
    }
}
