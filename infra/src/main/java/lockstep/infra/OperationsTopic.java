package lockstep.infra;

import java.util.List;
import java.util.Map;
import lockstep.landscape.Names;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.services.cloudwatch.Alarm;
import software.amazon.awscdk.services.cloudwatch.ComparisonOperator;
import software.amazon.awscdk.services.cloudwatch.IMetric;
import software.amazon.awscdk.services.cloudwatch.MathExpression;
import software.amazon.awscdk.services.cloudwatch.TreatMissingData;
import software.amazon.awscdk.services.cloudwatch.actions.SnsAction;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.amazon.awscdk.services.iam.ServicePrincipal;
import software.amazon.awscdk.services.kms.IKey;
import software.amazon.awscdk.services.sns.Topic;
import software.amazon.awscdk.services.sns.TopicProps;
import software.constructs.Construct;

/** The topic that notifies an account's operators of alarms and failed syncs. */
final class OperationsTopic extends Topic {
    OperationsTopic(Construct scope, String id, IKey key) {
        super(scope, id, TopicProps.builder().topicName(Names.operationsTopic()).masterKey(key).enforceSsl(true).build());
        var account = Map.of("StringEquals", Map.of("aws:SourceAccount", getStack().getAccount()));
        var cloudWatch = ServicePrincipal.Builder.create("cloudwatch.amazonaws.com").conditions(account).build();
        addToResourcePolicy(PolicyStatement.Builder.create()
                .principals(List.of(cloudWatch)).actions(List.of("sns:Publish")).resources(List.of(getTopicArn())).build());
        key.addToResourcePolicy(PolicyStatement.Builder.create()
                .principals(List.of(cloudWatch)).actions(List.of("kms:Decrypt", "kms:GenerateDataKey")).resources(List.of("*")).build());
    }

    /** Creates an alarm that notifies operators when the metric exceeds the threshold. Missing data raises no alarm. */
    Alarm alarmWhen(Construct scope, String id, String description, IMetric metric, Number threshold) {
        return alarmWhen(scope, id, description, metric, threshold, TreatMissingData.NOT_BREACHING);
    }

    /**
     * Creates an alarm for a service behind a load balancer that none of its tasks is healthy. No data means the same. A deployment moves the
     * tasks from one target group to the other, so the alarm adds both up.
     */
    Alarm alarmWhenNoneIsHealthy(Construct scope, String host, IMetric targets, IMetric others) {
        var none = MathExpression.Builder.create().expression("IF(FILL(targets, 0) + FILL(others, 0) < 1, 1, 0)")
                .usingMetrics(Map.of("targets", targets, "others", others)).period(Duration.minutes(1)).label("nothing is healthy").build();
        return alarmWhen(scope, "OutageAlarm", host + ": no proxy is healthy, so nobody is served", none, 0, TreatMissingData.BREACHING);
    }

    /** @param missing how to treat missing data */
    Alarm alarmWhen(Construct scope, String id, String description, IMetric metric, Number threshold, TreatMissingData missing) {
        var alarm = Alarm.Builder.create(scope, id)
                .alarmDescription(description)
                .metric(metric)
                .threshold(threshold)
                .comparisonOperator(ComparisonOperator.GREATER_THAN_THRESHOLD)
                .evaluationPeriods(1)
                .treatMissingData(missing)
                .build();
        alarm.addAlarmAction(new SnsAction(this));
        return alarm;
    }
}
