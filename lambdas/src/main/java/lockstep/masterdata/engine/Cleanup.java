package lockstep.masterdata.engine;

/** Takes away what a failed restore left in a target. */
public final class Cleanup {
    private Cleanup() {}

    public static void dropStaging(Database target, String dataSet, String syncId) {
        target.transaction(connection -> {
            Staging.drop(connection, dataSet, syncId);
            return null;
        });
    }
}
