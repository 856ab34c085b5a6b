package lockstep.infra;

import java.util.List;
import java.util.Map;
import lockstep.landscape.Names;
import software.amazon.awscdk.services.cloudwatch.Alarm;
import software.amazon.awscdk.services.cloudwatch.ComparisonOperator;
import software.amazon.awscdk.services.cloudwatch.IMetric;
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

    /** @param missing how to treat missing data */
    Alarm alarmWhen(Construct scope, String id, String description, IMetric metric, Number threshold, TreatMissingData missing) {
        return alarm(scope, id, description, metric, ComparisonOperator.GREATER_THAN_THRESHOLD, threshold, missing);
    }

    /** Creates an alarm that notifies operators when the metric falls below the threshold. While data is missing, it keeps its state. */
    Alarm alarmBelow(Construct scope, String id, String description, IMetric metric, Number threshold) {
        return alarm(scope, id, description, metric, ComparisonOperator.LESS_THAN_THRESHOLD, threshold, TreatMissingData.IGNORE);
    }

    private Alarm alarm(Construct scope, String id, String description, IMetric metric, ComparisonOperator operator, Number threshold,
            TreatMissingData missing) {
        var alarm = Alarm.Builder.create(scope, id)
                .alarmDescription(description)
                .metric(metric)
                .threshold(threshold)
                .comparisonOperator(operator)
                .evaluationPeriods(1)
                .treatMissingData(missing)
                .build();
        alarm.addAlarmAction(new SnsAction(this));
        return alarm;
    }
}
