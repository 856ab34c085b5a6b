package lockstep.masterdata.engine.parts;

import java.util.regex.Pattern;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.dump.Batch;
import lockstep.masterdata.engine.dump.Dumped;
import lockstep.masterdata.engine.dump.Released;
import lockstep.masterdata.engine.dump.Snapshot;
import lockstep.masterdata.engine.review.Held;
import lockstep.masterdata.watch.SourceActivity;

/** Where the notes of one sync lie in the store. */
public record SyncPaths(String dataSet, String syncId) {
    private static final Pattern SYNC_ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,79}");

    public SyncPaths {
        if (syncId == null || !SYNC_ID.matcher(syncId).matches())
            throw new Fault.InvalidRequest("sync id '" + syncId + "' is not 1 to 80 letters, digits, '-' or '_', beginning with a letter or digit");
    }

    /** What the holder wrote: the snapshot and the schema ({@link Snapshot}). */
    public String snapshot() {
        return "syncs/" + syncId + "/snapshot.json";
    }

    /** The plan: an array of {@link Batch}. */
    public String batches() {
        return "syncs/" + syncId + "/batches.json";
    }

    /** What a worker wrote of a batch: {@link Dumped}. */
    public String dumped(int batch) {
        return "syncs/" + syncId + "/dumped/" + batch + ".json";
    }

    /** Tells the holder to let go: {@link Released}. */
    public String released() {
        return "syncs/" + syncId + "/released.json";
    }

    /** Why the sync is held, and how to answer: {@link Held}. */
    public String held() {
        return "syncs/" + syncId + "/held.json";
    }

    /** A file that is to be imported under this id. */
    public String imported() {
        return "imports/" + syncId + ".csv";
    }

    public String manifest() {
        return manifest(dataSet, syncId);
    }

    public static String manifest(String dataSet, String syncId) {
        return "manifests/" + dataSet + "/" + syncId + ".json";
    }

    /** Where every manifest is sealed: of a dry run, and of a sync until it is admitted. No sync is brought in force from there. */
    public static String rehearsal(String dataSet, String syncId) {
        return rehearsals(dataSet) + syncId + ".json";
    }

    static String rehearsals(String dataSet) {
        return "manifests/" + dataSet + "/rehearsed/";
    }

    /** Tells which manifest of a data set is the newest: {@link Latest}. No sync's manifest can lie there, since those end in {@code .json}. */
    public static String latest(String dataSet) {
        return "manifests/" + dataSet + "/latest";
    }

    /** What was seen of the source's tables: {@link SourceActivity}. */
    public static String noticed(String dataSet) {
        return "manifests/" + dataSet + "/noticed";
    }

    /** The signature of a manifest lies beside it. */
    public static String signature(String manifestKey) {
        return manifestKey + ".sig";
    }
}
