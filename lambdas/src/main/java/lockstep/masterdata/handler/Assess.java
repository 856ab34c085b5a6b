package lockstep.masterdata.handler;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import lockstep.landscape.Hold;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.aws.S3PartStore;
import lockstep.masterdata.engine.review.Assessment;
import lockstep.masterdata.engine.review.Assessment.TableChange;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.review.Held;
import lockstep.masterdata.engine.parts.Latest;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.parts.ManifestReader;
import lockstep.masterdata.engine.parts.SyncPaths;

/**
 * Compares a sealed manifest with the newest admitted one, and decides whether a person must approve it. With a task token it records the
 * sync as held.
 */
public final class Assess extends JsonFunction<Assess.Event, Assess.Answer> {
    /** @param hold thresholds by table; @param token the token of the waiting task, if it waits */
    public record Event(SourceSync sync, Map<String, Hold> hold, Optional<String> token) {}

    public record Answer(boolean held, Optional<String> against, List<TableChange> tables, List<String> reasons) {}

    public Assess() {
        super(Event.class);
    }

    @Override
    Answer handle(Event event, Instant deadline) {
        SourceSync sync = event.sync();
        S3PartStore store = Clients.store(sync.bucket());
        var reader = new ManifestReader(store, Clients.signature(sync.signingKeyArn()));
        String name = sync.dataSet().name();
        var next = reader.readForForecast(SyncPaths.rehearsal(name, sync.syncId()), sync.dataSet(), sync.syncId());
        var assessment = Assessment.of(store, newest(store, reader, sync), next, event.hold());
        event.token().ifPresent(token -> new Held(token, Instant.now(), assessment).write(store, sync.paths()));
        return new Answer(assessment.held(), assessment.against(), assessment.tables(), assessment.reasons());
    }

    /** Returns the newest admitted manifest, or empty when it no longer matches this data set. */
    private static Optional<Manifest> newest(S3PartStore store, ManifestReader reader, SourceSync sync) {
        String name = sync.dataSet().name();
        try {
            return Latest.read(store, name).map(l -> reader.read(SyncPaths.manifest(name, l.syncId()), sync.dataSet(), l.syncId()));
        } catch (Fault.ManifestRefused e) {
            return Optional.empty();
        }
    }
}
