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

/** What the container service needs to lead requests to new tasks beside the old ones: a second target group, and the right to lead there. */
final class OtherTargets extends Construct {
    private final IAlternateTarget target;
    private final Role role;

    /**
     * @param led         ARN of what leads to the targets: a listener, or a rule of one
     * @param modify      the action that changes it
     * @param production  the same, as the container service knows it
     */
    OtherTargets(Construct scope, TargetGroupBase targets, TargetGroupBase other, String led, String modify, ListenerRuleConfiguration production) {
        super(scope, "Shifting");
        role = Role.Builder.create(this, "Role").assumedBy(new ServicePrincipal("ecs.amazonaws.com")).build();
        role.addToPolicy(PolicyStatement.Builder.create().actions(Stream.of("Listeners", "Rules", "TargetGroups", "TargetHealth").map("elasticloadbalancing:Describe"::concat).toList()).resources(List.of("*")).build());
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of(modify)).resources(List.of(led)).build());
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of("elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"))
                .resources(List.of(targets.getTargetGroupArn(), other.getTargetGroupArn())).build());
        Accepted.finding(role, "AwsSolutions-IAM5", "Load balancers are looked at by calls that name none", "Resource::*");
        target = new AlternateTarget("Other", AlternateTargetProps.builder().alternateTargetGroup(other).productionListener(production).role(role).build());
    }

    IAlternateTarget target() {
        return target;
    }

    Role role() {
        return role;
    }
}
