package lockstep.masterdata.engine.restore;

import java.util.List;
import lockstep.masterdata.engine.postgres.Database;

/** Takes away what a failed restore left in a target. */
public final class Cleanup {
    private Cleanup() {}

    public static void dropStaging(Database target, String dataSet, String syncId) {
        target.transaction(connection -> {
            Staging.drop(connection, dataSet, syncId);
            // another try may find the target otherwise
            Accepted.undecide(connection, dataSet, syncId, List.of());
            return null;
        });
    }
}
