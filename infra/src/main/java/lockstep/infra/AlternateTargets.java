package lockstep.infra;

import java.util.List;
import java.util.stream.Stream;
import software.amazon.awscdk.services.ecs.AlternateTarget;
import software.amazon.awscdk.services.ecs.AlternateTargetProps;
import software.amazon.awscdk.services.ecs.IAlternateTarget;
import software.amazon.awscdk.services.ecs.ListenerRuleConfiguration;
import software.amazon.awscdk.services.elasticloadbalancingv2.TargetGroupBase;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.amazon.awscdk.services.iam.Role;
import software.amazon.awscdk.services.iam.ServicePrincipal;
import software.constructs.Construct;

/** The second target group of a service, and the role with which ECS shifts traffic to it during a deployment. */
final class AlternateTargets extends Construct {
    private final IAlternateTarget target;
    private final Role role;

    /**
     * @param routeArn   the ARN of the listener or listener rule that routes to the targets
     * @param modify     the IAM action that modifies it
     * @param production the same listener or rule, as ECS refers to it
     */
    AlternateTargets(Construct scope, TargetGroupBase targets, TargetGroupBase other, String routeArn, String modify,
            ListenerRuleConfiguration production) {
        super(scope, "Shifting");
        role = Role.Builder.create(this, "Role").assumedBy(new ServicePrincipal("ecs.amazonaws.com")).build();
        role.addToPolicy(PolicyStatement.Builder.create().actions(
                Stream.of("Listeners", "Rules", "TargetGroups", "TargetHealth").map("elasticloadbalancing:Describe"::concat).toList())
                .resources(List.of("*")).build());
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of(modify)).resources(List.of(routeArn)).build());
        role.addToPolicy(PolicyStatement.Builder.create()
                .actions(List.of("elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"))
                .resources(List.of(targets.getTargetGroupArn(), other.getTargetGroupArn())).build());
        Accepted.finding(role, "AwsSolutions-IAM5", "Describe calls of load balancers name no resource", "Resource::*");
        target = new AlternateTarget("Other",
                AlternateTargetProps.builder().alternateTargetGroup(other).productionListener(production).role(role).build());
    }

    IAlternateTarget target() {
        return target;
    }

    Role role() {
        return role;
    }
}
