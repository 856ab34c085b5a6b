package lockstep.infra;

import lockstep.landscape.Purpose;
import software.amazon.awscdk.RemovalPolicy;
import software.amazon.awscdk.services.logs.RetentionDays;

/**
 * What an account's purpose decides: only production keeps its data when a stack goes.
 *
 * @param deletion   databases refuse to be deleted
 * @param data       what becomes of buckets, keys, secrets and logs; one that a failed first deployment leaves would be in the way of the next
 * @param database   what becomes of a database cluster
 * @param backupDays days that a database can be set back
 * @param logs       how long logs are kept
 * @param minCapacity the least of Aurora capacity units; 0 lets an idle database pause
 */
record Protection(boolean deletion, RemovalPolicy data, RemovalPolicy database, int backupDays, RetentionDays logs, double minCapacity) {
    static Protection of(Purpose purpose) {
        return switch (purpose) {
            case PRODUCTION -> new Protection(true, RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE, RemovalPolicy.SNAPSHOT, 14, RetentionDays.THREE_MONTHS, 0.5);
            case QA -> new Protection(false, RemovalPolicy.DESTROY, RemovalPolicy.DESTROY, 1, RetentionDays.ONE_MONTH, 0.5);
            case DEMO -> new Protection(false, RemovalPolicy.DESTROY, RemovalPolicy.DESTROY, 1, RetentionDays.ONE_MONTH, 0);
        };
    }
}
