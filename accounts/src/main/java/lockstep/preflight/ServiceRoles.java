package lockstep.preflight;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import lockstep.assembly.Assembly.Stack;
import lockstep.landscape.Account;

/**
 * Whether the roles of the services that the templates use exist. AWS creates them at the first use, but too late for the deployment that
 * needs them.
 *
 * @param services the services, and the names of their roles
 */
record ServiceRoles(Account account, Map<String, String> services) implements Check {
    private record Need(String type, String service, String role) {}

    private static final List<Need> NEEDS = List.of(
            new Need("AWS::ApplicationAutoScaling::ScalableTarget", "ecs.application-autoscaling",
                    "AWSServiceRoleForApplicationAutoScaling_ECSService"),
            new Need("AWS::ECS::Cluster", "ecs", "AWSServiceRoleForECS"),
            new Need("AWS::ElasticLoadBalancingV2::LoadBalancer", "elasticloadbalancing", "AWSServiceRoleForElasticLoadBalancing"),
            new Need("AWS::RDS::DBCluster", "rds", "AWSServiceRoleForRDS"));

    static ServiceRoles of(Account account, List<Stack> stacks) {
        var services = new TreeMap<String, String>();
        for (Need need : NEEDS)
            if (stacks.stream().anyMatch(stack -> !stack.resources(need.type()).isEmpty())) services.put(need.service(), need.role());
        return new ServiceRoles(account, services);
    }

    @Override
    public String name() {
        return "service-linked roles";
    }

    @Override
    public Result of(AccountReader reader) {
        String all = String.join(", ", services.keySet());
        var missing = services.entrySet().stream().filter(
                s -> !AccountReader.exists(() -> reader.query("iam", "GetRole", Map.of("RoleName", s.getValue())), "NoSuchEntity"))
                .map(Map.Entry::getKey).toList();
        if (missing.isEmpty()) return Result.ok("all", all);
        return Result.wrong("missing: " + String.join(", ", missing), all,
                missing.stream().map(service -> "aws iam create-service-linked-role --aws-service-name " + service
                        + ".amazonaws.com --profile " + account.name()).collect(Collectors.joining("; ")));
    }
}
