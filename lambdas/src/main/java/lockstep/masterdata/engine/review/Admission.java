package lockstep.masterdata.engine.review;

import java.io.IOException;
import java.time.Instant;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.Latest;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.parts.ManifestReader;
import lockstep.masterdata.engine.parts.PartStore;
import lockstep.masterdata.engine.parts.SyncPaths;

/** Publishes a sealed manifest: copies it, with its signature, to the place from which restores read, and records it as the newest. */
public record Admission(PartStore store, ManifestReader.Verifier verifier) {
    /**
     * Admits the manifest. It can be repeated.
     *
     * @throws Fault.ManifestRefused when the manifest does not match its signature
     * @throws Fault.OutOfOrder      when a newer manifest was admitted meanwhile, because targets would refuse this one
     */
    public Manifest admit(SyncPaths paths, Instant now) {
        String sealed = SyncPaths.rehearsal(paths.dataSet(), paths.syncId());
        byte[] bytes = bytes(sealed);
        byte[] signature = bytes(SyncPaths.signature(sealed));
        if (!verifier.verify(bytes, signature))
            throw new Fault.ManifestRefused("manifest '" + sealed + "' was not signed by the source: it was altered or forged");
        Manifest manifest = Json.MAPPER.readValue(bytes, Manifest.class);
        Latest.read(store, paths.dataSet()).filter(l -> l.snapshotTime().isAfter(manifest.snapshotTime())).ifPresent(l -> {
            throw new Fault.OutOfOrder("sync " + l.syncId() + " of " + l.snapshotTime() + " was admitted while " + paths.syncId() + " of "
                    + manifest.snapshotTime()
                    + " was running or held; nothing was changed. Start a new sync");
        });
        store.put(SyncPaths.signature(paths.manifest()), signature);
        store.put(paths.manifest(), bytes);
        Latest.note(store, manifest, now);
        return manifest;
    }

    private byte[] bytes(String key) {
        try (var in = store.open(key).orElseThrow(() -> new Fault.BatchFailed("'" + key + "' was not written: the dump is not complete"))) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new Fault.StoreUnavailable("'" + key + "' can't be read: " + e.getMessage(), e);
        }
    }
}
