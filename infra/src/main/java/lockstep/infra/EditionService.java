package lockstep.infra;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import lockstep.landscape.Edition;
import software.amazon.awscdk.CfnOutput;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.services.applicationautoscaling.EnableScalingProps;
import software.amazon.awscdk.services.cloudwatch.Alarm;
import software.amazon.awscdk.services.cloudwatch.IMetric;
import software.amazon.awscdk.services.cloudwatch.MathExpression;
import software.amazon.awscdk.services.cloudwatch.Metric;
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

/** An ECS service of one edition in subnets without internet access. It scales with its load, and rolls back when new tasks fail. */
final class EditionService extends FargateService {
    /** How new tasks replace old ones. */
    enum Rollout {
        /** One task after the other, for a service without a load balancer. */
        ROLLING,
        /** Starts all new tasks beside the old ones, then shifts all traffic at once. The old tasks stay for a while, for a rollback. */
        BLUE_GREEN,
        /** Sends a tenth of the traffic to the new tasks first. */
        CANARY
    }

    private static final Duration BAKE_TIME = Duration.minutes(5);

    /** @param cloudMap the service's DNS name in the private zone, if any */
    EditionService(Construct scope, NetworkStack network, Edition edition, Task task, List<ISecurityGroup> groups,
            Optional<CloudMapOptions> cloudMap, Rollout rollout) {
        var capacity = Capacity.of(edition);
        var props = FargateServiceProps.builder()
                .cluster(network.cluster())
                .taskDefinition(task)
                // no desired count: each deployment would reset what autoscaling has set
                .capacityProviderStrategies(capacity.providers())
                .minHealthyPercent(100).maxHealthyPercent(200)
                .circuitBreaker(DeploymentCircuitBreaker.builder().rollback(true).build())
                .assignPublicIp(false)
                .vpcSubnets(SubnetSelection.builder().subnetType(SubnetType.PRIVATE_ISOLATED).build())
                .securityGroups(groups)
                .cloudMapOptions(cloudMap.orElse(null));
        switch (rollout) {
            case ROLLING -> {}
            case BLUE_GREEN -> props.deploymentStrategy(DeploymentStrategy.BLUE_GREEN).bakeTime(BAKE_TIME);
            case CANARY -> props.deploymentStrategy(DeploymentStrategy.CANARY).bakeTime(BAKE_TIME)
                    .canaryConfiguration(TrafficShiftConfig.builder().stepPercent(10).stepBakeTime(BAKE_TIME).build());
        }
        super(scope, "Service", props.build());
        // the CDK waits only for the task role; the first tasks would be denied their secrets and logs, which the circuit breaker counts
        getNode().addDependency(task.obtainExecutionRole());
        var scaling = autoScaleTaskCount(
                EnableScalingProps.builder().minCapacity(capacity.minTasks()).maxCapacity(capacity.maxTasks()).build());
        scaling.scaleOnCpuUtilization("Cpu", CpuUtilizationScalingProps.builder()
                .targetUtilizationPercent(60).scaleOutCooldown(Duration.minutes(1)).scaleInCooldown(Duration.minutes(5)).build());
        CfnOutput.Builder.create(getStack(), "Cluster").value(network.cluster().getClusterName()).build();
        CfnOutput.Builder.create(getStack(), "Service").value(getServiceName()).build();
    }

    /** The average number of running tasks in five minutes. */
    Metric runningTasks() {
        return Metric.Builder.create().namespace("ECS/ContainerInsights").metricName("RunningTaskCount")
                .dimensionsMap(Map.of("ClusterName", getCluster().getClusterName(), "ServiceName", getServiceName()))
                .statistic("Average").period(Duration.minutes(5)).build();
    }

    /**
     * The number of healthy targets. A deployment moves tasks from one target group to the other, and a group without targets reports
     * nothing. Alarm on several minutes: load balancers report late, so the newest minute often counts as 0.
     */
    static MathExpression healthy(IMetric targets, IMetric others) {
        return MathExpression.Builder.create().expression("FILL(targets, 0) + FILL(others, 0)")
                .usingMetrics(Workflow.sorted(Map.of("targets", targets, "others", others))).period(Duration.minutes(1))
                .label("healthy targets").build();
    }

    /** Rolls a deployment back when one of the alarms goes off. */
    void rollBackOn(Alarm... alarms) {
        enableDeploymentAlarms(Stream.of(alarms).map(Alarm::getAlarmName).toList(),
                DeploymentAlarmOptions.builder().behavior(AlarmBehavior.ROLLBACK_ON_ALARM).build());
    }
}
