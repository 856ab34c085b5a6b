package lockstep.masterdata.handler;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.util.Optional;
import lockstep.landscape.DataSet;
import lockstep.masterdata.engine.FunctionTime;
import lockstep.masterdata.engine.parts.SyncPaths;

/** The input that the dump state machine passes to its functions: the sync's id, constants of its definition, and the execution's input. */
record SourceSync(String syncId, DataSet dataSet, String bucket, String secretArn, String signingKeyArn, String release, Terms terms,
        Optional<Integer> functionMinutes) {
    /**
     * @param dryRun whether the manifest only serves to report what a sync would change, and is not published
     * @param rows   whether every row is read, also of tables to which nobody has written
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Terms(Optional<Boolean> dryRun, Optional<Boolean> rows) {
        boolean isDryRun() {
            return dryRun.orElse(false);
        }

        boolean readsEveryRow() {
            return rows.orElse(false);
        }
    }

    /** Returns the time of a function, or that of a task if the input says nothing. */
    FunctionTime functionTime() {
        return FunctionTime.ofMinutes(functionMinutes);
    }

    SyncPaths paths() {
        return new SyncPaths(dataSet.name(), syncId);
    }
}
