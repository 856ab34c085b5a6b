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

/** How the functions of a stack that answer by themselves come to a new version: a tenth of the calls for five minutes, then all; back when calls fail. */
final class Shifting extends Construct {
    private final LambdaApplication application;
    private final Role role;

    Shifting(Construct scope) {
        super(scope, "Shifting");
        application = LambdaApplication.Builder.create(this, "Application").build();
        role = Role.Builder.create(this, "Role").assumedBy(new ServicePrincipal("codedeploy.amazonaws.com")).build();
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of("cloudwatch:DescribeAlarms")).resources(List.of("*")).build());
        Accepted.finding(role, "AwsSolutions-IAM5", "CodeDeploy looks at alarms by a call that names none", "Resource::*");
    }

    void shift(HandlerFunction function, Alias alias, OperationsTopic operations) {
        role.addToPolicy(PolicyStatement.Builder.create()
                .actions(List.of("lambda:GetAlias", "lambda:UpdateAlias", "lambda:GetProvisionedConcurrencyConfig"))
                // not the alias, which its deployment would wait for
                .resources(List.of(function.getFunctionArn(), function.getFunctionArn() + ":" + alias.getAliasName())).build());
        var failing = operations.tellWhen(function, "ShiftAlarm", alias.getAliasName() + " of " + function.getNode().getPath() + ": calls failed; a version that is being shifted to is taken back",
                alias.metricErrors(MetricOptions.builder().period(Duration.minutes(1)).statistic("Sum").build()), 0);
        LambdaDeploymentGroup.Builder.create(function, "Shift")
                .application(application).alias(alias).alarms(List.of(failing))
                .deploymentConfig(LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES)
                .autoRollback(AutoRollbackConfig.builder().failedDeployment(true).stoppedDeployment(true).deploymentInAlarm(true).build())
                // the CDK would add AWS's policy for functions of all names
                .role(role.withoutPolicyUpdates()).build();
    }
}
