package lockstep.masterdata.engine.parts;

import java.util.regex.Pattern;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.dump.Batch;
import lockstep.masterdata.engine.dump.Dumped;
import lockstep.masterdata.engine.dump.Released;
import lockstep.masterdata.engine.dump.Snapshot;
import lockstep.masterdata.engine.review.Held;
import lockstep.masterdata.watch.SourceActivity;

/**
 * The keys of a sync's objects in the store. A sync id has at most 60 characters, because the name of its execution contains the data set's
 * name too, and AWS allows 80.
 */
public record SyncPaths(String dataSet, String syncId) {
    private static final Pattern SYNC_ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,59}");

    public SyncPaths {
        if (syncId == null || !SYNC_ID.matcher(syncId).matches())
            throw new Fault.InvalidRequest(
                    "sync id '" + syncId + "' is not 1 to 60 letters, digits, '-' or '_', beginning with a letter or digit");
    }

    private String work() {
        return "syncs/" + dataSet + "/" + syncId + "/";
    }

    /** The prefix of the data set's parts. Manifests share parts. */
    public static String parts(String dataSet) {
        return "parts/" + dataSet + "/";
    }

    /** The snapshot and the schema, written by the holder: {@link Snapshot}. */
    public String snapshot() {
        return work() + "snapshot.json";
    }

    /** The plan: an array of {@link Batch}. */
    public String batches() {
        return work() + "batches.json";
    }

    /** The tables that need not be read, because nobody has written to them since the previous manifest: {@link Dumped}. */
    public String unread() {
        return work() + "unread.json";
    }

    /** A worker's result for a batch: {@link Dumped}. */
    public String dumped(int batch) {
        return work() + "dumped/" + batch + ".json";
    }

    /** The request to release the snapshot: {@link Released}. */
    public String released() {
        return work() + "released.json";
    }

    /** Why the sync is held, and the token for answering: {@link Held}. */
    public String held() {
        return work() + "held.json";
    }

    /** The file to be imported under this id. */
    public String imported() {
        return "imports/" + dataSet + "/" + syncId + ".csv";
    }

    public String manifest() {
        return manifest(dataSet, syncId);
    }

    public static String manifest(String dataSet, String syncId) {
        return "manifests/" + dataSet + "/" + syncId + ".json";
    }

    /**
     * Where every manifest is written when it is sealed. Syncs are not restored from there, so it holds dry runs and syncs that are not
     * admitted.
     */
    public static String rehearsal(String dataSet, String syncId) {
        return rehearsals(dataSet) + syncId + ".json";
    }

    static String rehearsals(String dataSet) {
        return "manifests/" + dataSet + "/rehearsed/";
    }

    /**
     * The pointer to the newest manifest of a data set: {@link Latest}. It differs from all manifests' keys, which end in {@code .json}.
     */
    public static String latest(String dataSet) {
        return "manifests/" + dataSet + "/latest";
    }

    /** The last known state of the source's tables: {@link SourceActivity}. */
    public static String sourceActivity(String dataSet) {
        return "manifests/" + dataSet + "/noticed";
    }

    /** The signature of a manifest. */
    public static String signature(String manifestKey) {
        return manifestKey + ".sig";
    }
}
