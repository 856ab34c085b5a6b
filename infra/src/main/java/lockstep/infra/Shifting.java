package lockstep.infra;

import java.util.List;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.services.cloudwatch.MetricOptions;
import software.amazon.awscdk.services.codedeploy.AutoRollbackConfig;
import software.amazon.awscdk.services.codedeploy.LambdaApplication;
import software.amazon.awscdk.services.codedeploy.LambdaDeploymentConfig;
import software.amazon.awscdk.services.codedeploy.LambdaDeploymentGroup;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.amazon.awscdk.services.iam.Role;
import software.amazon.awscdk.services.iam.ServicePrincipal;
import software.amazon.awscdk.services.lambda.Alias;
import software.constructs.Construct;

/**
 * Shifts the independently versioned functions of a stack to new versions: a tenth of the calls for five minutes, then all. A deployment
 * rolls back when calls fail.
 */
final class Shifting extends Construct {
    private final LambdaApplication application;
    private final Role role;

    Shifting(Construct scope) {
        super(scope, "Shifting");
        application = LambdaApplication.Builder.create(this, "Application").build();
        role = Role.Builder.create(this, "Role").assumedBy(new ServicePrincipal("codedeploy.amazonaws.com")).build();
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of("cloudwatch:DescribeAlarms")).resources(List.of("*")).build());
        Accepted.finding(role, "AwsSolutions-IAM5", "CodeDeploy describes alarms with a call that names no resource", "Resource::*");
    }

    void shift(HandlerFunction function, Alias alias, OperationsTopic operations) {
        role.addToPolicy(PolicyStatement.Builder.create()
                .actions(List.of("lambda:GetAlias", "lambda:UpdateAlias", "lambda:GetProvisionedConcurrencyConfig"))
                // the ARN as text: a reference to the alias would make its own deployment wait for it
                .resources(List.of(function.getFunctionArn(), function.getFunctionArn() + ":" + alias.getAliasName())).build());
        var failing = operations.alarmWhen(function, "ShiftAlarm",
                alias.getAliasName() + " of " + function.getNode().getPath()
                        + ": calls failed; a new version that is receiving a part of them is rolled back",
                alias.metricErrors(MetricOptions.builder().period(Duration.minutes(1)).statistic("Sum").build()), 0);
        LambdaDeploymentGroup.Builder.create(function, "Shift")
                .application(application).alias(alias).alarms(List.of(failing))
                .deploymentConfig(LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES)
                .autoRollback(AutoRollbackConfig.builder().failedDeployment(true).stoppedDeployment(true).deploymentInAlarm(true).build())
                // otherwise the CDK attaches AWS's managed policy, which covers all functions
                .role(role.withoutPolicyUpdates()).build();
    }
}
