package lockstep.infra;

import lockstep.landscape.DataSet;
import lockstep.landscape.Names;
import lockstep.landscape.ShardMetric;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.services.cloudwatch.Metric;
import software.amazon.awscdk.services.cloudwatch.TreatMissingData;
import software.constructs.Construct;

/** The metrics that the watch publishes for one shard and data set, and their alarms. */
record ShardMetrics(DataSet dataSet, String shard) {
    /**
     * The maximum over two of the watch's intervals, because one interval may contain no data point. The metric has no label: the CDK turns
     * an alarm on a labelled metric into one on metric math.
     */
    Metric of(ShardMetric metric) {
        return Metric.Builder.create()
                .namespace(Names.metrics(dataSet.name(), shard)).metricName(metric.word()).statistic("Maximum")
                .period(Duration.minutes(2 * dataSet.watch().every().toMinutes())).build();
    }

    void createAlarms(Construct scope, OperationsTopic operations) {
        var watch = dataSet.watch();
        var what = dataSet.name() + " in " + shard + ": ";
        // missing data means that the watch does not run or the shard does not answer, so the age is unknown
        operations.alarmWhen(scope, "FreshnessAlarm",
                what + "the snapshot in force is older than " + watch.age().toHours() + " hours, or its age is unknown",
                of(ShardMetric.FRESHNESS), watch.age().toSeconds(), TreatMissingData.BREACHING);
        operations.alarmWhen(scope, "BehindAlarm",
                what + "a newer sync has not come into force for " + watch.behind().toMinutes() + " minutes", of(ShardMetric.BEHIND),
                watch.behind().toSeconds());
        operations.alarmWhen(scope, "DriftAlarm", what + "tables differ from what the sync in force wrote", of(ShardMetric.DRIFT), 0);
        operations.alarmWhen(scope, "UnreachableAlarm", what + "the shard can't report its state", of(ShardMetric.UNREACHABLE), 0);
        if (!dataSet.checks().isEmpty()) {
            operations.alarmWhen(scope, "ChecksAlarm",
                    what + "a check in lockstep.yaml did not return the expected answer; the output of the watch's executions names it",
                    of(ShardMetric.CHECKS_FAILED), 0);
        }
    }
}
