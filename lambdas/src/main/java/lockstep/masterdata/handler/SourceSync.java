package lockstep.masterdata.handler;

import lockstep.landscape.DataSet;
import lockstep.masterdata.engine.SyncPaths;

/** What the dump state machine tells each of its functions: the sync's id, and constants of its definition. */
record SourceSync(String syncId, DataSet dataSet, String bucket, String secretArn, String signingKeyArn, String release) {
    SyncPaths paths() {
        return new SyncPaths(dataSet.name(), syncId);
    }
}
