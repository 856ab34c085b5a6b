package lockstep.masterdata.handler;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.util.Optional;
import lockstep.landscape.DataSet;
import lockstep.masterdata.engine.parts.SyncPaths;

/** What the dump state machine tells each of its functions: the sync's id, constants of its definition, and the execution's input. */
record SourceSync(String syncId, DataSet dataSet, String bucket, String secretArn, String signingKeyArn, String release, Terms terms) {
    /** @param dryRun the manifest is not to be published: it only serves to tell what a sync would change */
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Terms(Optional<Boolean> dryRun) {
        boolean isDryRun() {
            return dryRun.orElse(false);
        }
    }

    SyncPaths paths() {
        return new SyncPaths(dataSet.name(), syncId);
    }
}
