package lockstep.infra;

import java.util.List;
import lockstep.landscape.Purpose;
import software.amazon.awscdk.CfnParameter;
import software.amazon.awscdk.RemovalPolicy;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.services.logs.RetentionDays;

/**
 * How well an account's data is protected, which depends on its purpose. Only production keeps its data when a stack is deleted.
 *
 * @param deletion    whether databases and load balancers are protected from deletion
 * @param data        the removal policy of buckets, keys, secrets and logs. Ones left behind by a failed first deployment would block the
 *         next
 * @param database    the removal policy of a database cluster
 * @param backupDays  how many days back a database can be restored
 * @param logs        how long logs are kept
 * @param minCapacity the minimum number of Aurora capacity units; 0 lets an idle database pause
 * @param maintenance when AWS may maintain databases (UTC): in production two days after the others
 */
record Protection(boolean deletion, RemovalPolicy data, RemovalPolicy database, int backupDays, RetentionDays logs, double minCapacity,
        String maintenance) {
    /** The parameter that switches the protection from deletion off for a first deployment, which could not roll back otherwise. */
    static final String PARAMETER = "DeletionProtection";

    /** Creates the parameter. A later deployment keeps its value. */
    static CfnParameter parameter(Stack stack) {
        return CfnParameter.Builder.create(stack, PARAMETER).type("String").allowedValues(List.of("true", "false")).defaultValue("true")
                .description("Whether the database or load balancer of this stack can't be deleted; false only until the first success")
                .build();
    }

    static Protection of(Purpose purpose) {
        return switch (purpose) {
            case PRODUCTION -> new Protection(true, RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE, RemovalPolicy.SNAPSHOT, 14,
                    RetentionDays.THREE_MONTHS, 0.5, "wed:02:00-wed:03:00");
            case QA -> new Protection(false, RemovalPolicy.DESTROY, RemovalPolicy.DESTROY, 1, RetentionDays.ONE_MONTH, 0.5,
                    "mon:02:00-mon:03:00");
            case DEMO -> new Protection(false, RemovalPolicy.DESTROY, RemovalPolicy.DESTROY, 1, RetentionDays.ONE_MONTH, 0,
                    "mon:02:00-mon:03:00");
        };
    }
}
