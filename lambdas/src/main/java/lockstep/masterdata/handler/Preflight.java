package lockstep.masterdata.handler;

import java.time.Instant;
import java.util.List;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.engine.parts.ManifestReader;
import lockstep.masterdata.engine.restore.Preflight.Choice;
import lockstep.masterdata.engine.restore.Preflight.Mode;
import lockstep.masterdata.engine.restore.Preflight.PartRange;

/** Verifies the manifest and decides whether the shard can take it. */
public final class Preflight extends JsonFunction<Preflight.Event, Preflight.Answer> {
    public record Event(TargetSync sync, TargetSync.TargetShard shard) {}

    public record Answer(String shard, List<PartRange> batches, long rows, List<Choice> tables, List<String> warnings) {}

    public Preflight() {
        super(Event.class);
    }

    @Override
    Answer handle(Event event, Instant deadline) {
        TargetSync sync = event.sync();
        try (var access = sync.source().manifest(sync.syncId(), sync.manifestKey())) {
            var reader = new ManifestReader(access.store(), access.signature());
            var manifest = sync.terms().isDryRun() ? reader.readForForecast(sync.manifestKey(), sync.dataSet(), sync.syncId())
                    : reader.read(sync.manifestKey(), sync.dataSet(), sync.syncId());
            var plan = new lockstep.masterdata.engine.restore.Preflight(Clients.database(event.shard().secretArn()),
                    sync.functionTime()).prepare(manifest, sync.terms().mode().orElse(Mode.SYNC), sync.dataSet().triggers());
            return new Answer(event.shard().name(), plan.batches(), plan.rows(), plan.tables(), plan.warnings());
        }
    }
}
