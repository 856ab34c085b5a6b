package lockstep.infra;

import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
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
        return alarm(scope, id, description, metric, threshold,
                builder -> builder.evaluationPeriods(1).treatMissingData(TreatMissingData.NOT_BREACHING));
    }

    /** Creates an alarm that notifies operators when the metric falls below the threshold. While data is missing, it keeps its state. */
    Alarm alarmBelow(Construct scope, String id, String description, IMetric metric, Number threshold) {
        return alarm(scope, id, description, metric, threshold, builder -> builder.evaluationPeriods(1)
                .comparisonOperator(ComparisonOperator.LESS_THAN_THRESHOLD).treatMissingData(TreatMissingData.IGNORE));
    }

    /**
     * Creates an alarm that also notifies operators when data stops. It is silent until the first data, because CloudWatch creates an alarm
     * in the state that then means missing data.
     */
    void alarmWhenAboveOrUnknown(Construct scope, String id, String description, IMetric metric, Number threshold) {
        alarm(scope, id, description, metric, threshold, builder -> builder.evaluationPeriods(1).treatMissingData(TreatMissingData.MISSING))
                .addInsufficientDataAction(new SnsAction(this));
    }

    /**
     * Creates an alarm that notifies operators when the metric of a service is below 1 in each of these periods, or missing. It is created
     * once the service is up, so that a first deployment is silent.
     */
    void alarmWhenNone(Construct scope, String id, String description, IMetric metric, int periods, EditionService service) {
        alarm(scope, id, description, metric, 1, builder -> builder.evaluationPeriods(periods)
                .comparisonOperator(ComparisonOperator.LESS_THAN_THRESHOLD).treatMissingData(TreatMissingData.BREACHING))
                .getNode().addDependency(service);
    }

    private Alarm alarm(Construct scope, String id, String description, IMetric metric, Number threshold,
            UnaryOperator<Alarm.Builder> evaluation) {
        var builder = Alarm.Builder.create(scope, id).alarmDescription(description).metric(metric).threshold(threshold)
                .comparisonOperator(ComparisonOperator.GREATER_THAN_THRESHOLD);
        var alarm = evaluation.apply(builder).build();
        alarm.addAlarmAction(new SnsAction(this));
        return alarm;
    }
}
