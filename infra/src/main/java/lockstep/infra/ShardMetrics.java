package lockstep.infra;

import lockstep.landscape.DataSet;
import lockstep.landscape.Names;
import lockstep.landscape.ShardMetric;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.services.cloudwatch.Metric;
import software.amazon.awscdk.services.cloudwatch.TreatMissingData;
import software.constructs.Construct;

/** What the watch measures of one shard and data set, and what is told of it. */
record ShardMetrics(DataSet dataSet, String shard) {
    /** The largest value of two looks: one alone may fall between two periods. Without a label, with which an alarm would become one over metric math. */
    Metric of(ShardMetric metric) {
        return Metric.Builder.create()
                .namespace(Names.metrics(dataSet.name(), shard)).metricName(metric.word()).statistic("Maximum")
                .period(Duration.minutes(2 * dataSet.watch().every().toMinutes())).build();
    }

    void tell(Construct scope, OperationsTopic operations) {
        var watch = dataSet.watch();
        var what = dataSet.name() + " in " + shard + ": ";
        // no data: nobody looks, or the shard does not answer, so that its age is not known
        operations.tellWhen(scope, "FreshnessAlarm", what + "the snapshot in force is older than " + watch.age().toHours() + " hours, or nobody knows how old",
                of(ShardMetric.FRESHNESS), watch.age().toSeconds(), TreatMissingData.BREACHING);
        operations.tellWhen(scope, "BehindAlarm", what + "a newer sync has not come into force for " + watch.behind().toMinutes() + " minutes", of(ShardMetric.BEHIND), watch.behind().toSeconds());
        operations.tellWhen(scope, "DriftAlarm", what + "tables do not hold what the sync in force left there", of(ShardMetric.DRIFT), 0);
        operations.tellWhen(scope, "UnreachableAlarm", what + "the shard can't say what it holds", of(ShardMetric.UNREACHABLE), 0);
        if (!dataSet.checks().isEmpty()) {
            operations.tellWhen(scope, "ChecksAlarm", what + "a query of checks in lockstep.yaml is not answered as expected; the output of the watch's executions names it", of(ShardMetric.CHECKS_FAILED), 0);
        }
    }
}
