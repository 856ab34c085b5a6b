package lockstep.infra;

import java.util.List;
import java.util.Optional;
import lockstep.landscape.Edition;
import software.amazon.awscdk.CfnOutput;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.services.applicationautoscaling.EnableScalingProps;
import software.amazon.awscdk.services.ec2.ISecurityGroup;
import software.amazon.awscdk.services.ec2.SubnetSelection;
import software.amazon.awscdk.services.ec2.SubnetType;
import software.amazon.awscdk.services.ecs.CloudMapOptions;
import software.amazon.awscdk.services.ecs.CpuUtilizationScalingProps;
import software.amazon.awscdk.services.ecs.DeploymentCircuitBreaker;
import software.amazon.awscdk.services.ecs.FargateService;
import software.amazon.awscdk.services.ecs.FargateServiceProps;
import software.amazon.awscdk.services.ecs.ScalableTaskCount;
import software.constructs.Construct;

/** A service of one edition, in subnets without a way to the internet: as many tasks as it needs, and back to the old ones when the new ones fail. */
final class EditionService extends FargateService {
    private final ScalableTaskCount scaling;

    /** @param cloudMap the name that it has in the network, if any */
    EditionService(Construct scope, NetworkStack network, Edition edition, Task task, List<ISecurityGroup> groups, Optional<CloudMapOptions> cloudMap) {
        var capacity = Capacity.of(edition);
        super(scope, "Service", FargateServiceProps.builder()
                .cluster(network.cluster())
                .taskDefinition(task)
                // no count, since a deployment would set back what scaling found
                .capacityProviderStrategies(capacity.providers())
                .minHealthyPercent(100).maxHealthyPercent(200)
                .circuitBreaker(DeploymentCircuitBreaker.builder().rollback(true).build())
                .assignPublicIp(false)
                .vpcSubnets(SubnetSelection.builder().subnetType(SubnetType.PRIVATE_ISOLATED).build())
                .securityGroups(groups)
                .cloudMapOptions(cloudMap.orElse(null))
                .build());
        // the CDK waits for the task's own role alone: the first tasks would be refused their secrets and logs, and the circuit breaker counts that
        getNode().addDependency(task.obtainExecutionRole());
        scaling = autoScaleTaskCount(EnableScalingProps.builder().minCapacity(capacity.minTasks()).maxCapacity(capacity.maxTasks()).build());
        scaling.scaleOnCpuUtilization("Cpu", CpuUtilizationScalingProps.builder()
                .targetUtilizationPercent(60).scaleOutCooldown(Duration.minutes(1)).scaleInCooldown(Duration.minutes(5)).build());
        CfnOutput.Builder.create(getStack(), "Cluster").value(network.cluster().getClusterName()).build();
        CfnOutput.Builder.create(getStack(), "Service").value(getServiceName()).build();
    }

    ScalableTaskCount scaling() {
        return scaling;
    }
}
