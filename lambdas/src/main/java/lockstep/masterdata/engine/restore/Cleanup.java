package lockstep.masterdata.engine.restore;

import java.util.List;
import lockstep.masterdata.engine.postgres.Database;

/** Deletes what a failed restore has left in a target. */
public final class Cleanup {
    private Cleanup() {}

    public static void dropStaging(Database target, String dataSet, String syncId) {
        target.transaction(connection -> {
            Staging.drop(connection, dataSet, syncId);
            // the target may have changed before the next attempt
            Accepted.undecide(connection, dataSet, syncId, List.of());
            return null;
        });
    }
}
