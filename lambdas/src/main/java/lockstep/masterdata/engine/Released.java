package lockstep.masterdata.engine;

/** Tells the holder of the snapshot to let go, and everybody else why it did. */
public record Released(String reason) {
    public void write(PartStore store, SyncPaths paths) {
        Json.write(store, paths.released(), this);
    }
}
