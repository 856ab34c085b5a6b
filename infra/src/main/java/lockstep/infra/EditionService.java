package lockstep.infra;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import lockstep.landscape.Edition;
import software.amazon.awscdk.CfnOutput;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.services.applicationautoscaling.EnableScalingProps;
import software.amazon.awscdk.services.cloudwatch.Alarm;
import software.amazon.awscdk.services.ec2.ISecurityGroup;
import software.amazon.awscdk.services.ec2.SubnetSelection;
import software.amazon.awscdk.services.ec2.SubnetType;
import software.amazon.awscdk.services.ecs.AlarmBehavior;
import software.amazon.awscdk.services.ecs.CloudMapOptions;
import software.amazon.awscdk.services.ecs.CpuUtilizationScalingProps;
import software.amazon.awscdk.services.ecs.DeploymentAlarmOptions;
import software.amazon.awscdk.services.ecs.DeploymentCircuitBreaker;
import software.amazon.awscdk.services.ecs.DeploymentStrategy;
import software.amazon.awscdk.services.ecs.FargateService;
import software.amazon.awscdk.services.ecs.FargateServiceProps;
import software.amazon.awscdk.services.ecs.TrafficShiftConfig;
import software.constructs.Construct;

/** A service of one edition, in subnets without a way to the internet: as many tasks as it needs, and back to the old ones when the new ones fail. */
final class EditionService extends FargateService {
    /** How new tasks come into the place of old ones. */
    enum Rollout {
        /** One after the other: where no load balancer could divide what comes. */
        ROLLING,
        /** All new tasks beside the old ones, then everything at once; the old ones stay for a while, to go back to. */
        BLUE_GREEN,
        /** A tenth of what comes goes to new tasks first. */
        CANARY
    }

    private static final Duration LOOKED_AT = Duration.minutes(5);

    /** @param cloudMap the name that it has in the network, if any */
    EditionService(Construct scope, NetworkStack network, Edition edition, Task task, List<ISecurityGroup> groups, Optional<CloudMapOptions> cloudMap, Rollout rollout) {
        var capacity = Capacity.of(edition);
        var props = FargateServiceProps.builder()
                .cluster(network.cluster())
                .taskDefinition(task)
                // no count, since a deployment would set back what scaling found
                .capacityProviderStrategies(capacity.providers())
                .minHealthyPercent(100).maxHealthyPercent(200)
                .circuitBreaker(DeploymentCircuitBreaker.builder().rollback(true).build())
                .assignPublicIp(false)
                .vpcSubnets(SubnetSelection.builder().subnetType(SubnetType.PRIVATE_ISOLATED).build())
                .securityGroups(groups)
                .cloudMapOptions(cloudMap.orElse(null));
        switch (rollout) {
            case ROLLING -> { }
            case BLUE_GREEN -> props.deploymentStrategy(DeploymentStrategy.BLUE_GREEN).bakeTime(LOOKED_AT);
            case CANARY -> props.deploymentStrategy(DeploymentStrategy.CANARY).bakeTime(LOOKED_AT)
                    .canaryConfiguration(TrafficShiftConfig.builder().stepPercent(10).stepBakeTime(LOOKED_AT).build());
        }
        super(scope, "Service", props.build());
        // the CDK waits for the task's own role alone: the first tasks would be refused their secrets and logs, and the circuit breaker counts that
        getNode().addDependency(task.obtainExecutionRole());
        var scaling = autoScaleTaskCount(EnableScalingProps.builder().minCapacity(capacity.minTasks()).maxCapacity(capacity.maxTasks()).build());
        scaling.scaleOnCpuUtilization("Cpu", CpuUtilizationScalingProps.builder()
                .targetUtilizationPercent(60).scaleOutCooldown(Duration.minutes(1)).scaleInCooldown(Duration.minutes(5)).build());
        CfnOutput.Builder.create(getStack(), "Cluster").value(network.cluster().getClusterName()).build();
        CfnOutput.Builder.create(getStack(), "Service").value(getServiceName()).build();
    }

    /** A deployment during which one of these goes off goes back. */
    void goBackOn(Alarm... alarms) {
        enableDeploymentAlarms(Stream.of(alarms).map(Alarm::getAlarmName).toList(), DeploymentAlarmOptions.builder().behavior(AlarmBehavior.ROLLBACK_ON_ALARM).build());
    }
}
