package lockstep.masterdata.handler;

import java.time.Instant;
import java.util.List;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.dump.Released;
import lockstep.masterdata.engine.dump.Sealer;
import lockstep.masterdata.engine.parts.SyncPaths;

/** Releases the snapshot after every batch was dumped, then builds and signs the manifest. */
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
        // the source is not read any more, so its transaction can end before the manifest is signed
        new Released("dumped").write(store, sync.paths());
        var sealer = new Sealer(store, Clients.signature(sync.signingKeyArn()));
        // restores do not read from there; unless this is a dry run, a later state admits the manifest
        var manifest = sealer.seal(sync.dataSet(), sync.paths(), sync.release());
        return new Answer(SyncPaths.rehearsal(sync.dataSet().name(), sync.syncId()), manifest.snapshotTime(),
                manifest.tables().stream().mapToLong(TableManifest::rows).sum(),
                manifest.tables().stream().mapToInt(t -> t.parts().size()).sum(), BatchOutcome.Workers.of(event.outcomes()));
    }
}
