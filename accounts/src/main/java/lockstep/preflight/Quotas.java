package lockstep.preflight;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import lockstep.assembly.Assembly.Stack;
import lockstep.landscape.Account;
import lockstep.landscape.Landscape;
import lockstep.landscape.Names;
import tools.jackson.databind.JsonNode;

/**
 * The quotas that a landscape can exceed: those that are low in a new account, and those that many shards fill.
 *
 * @param stacks the account's stacks
 */
record Quotas(Landscape landscape, Account account, List<Stack> stacks) {
    private static final ToLongFunction<AccountReader> UNKNOWN = reader -> 0;

    List<QuotaLimit> limits() {
        var limits = new ArrayList<QuotaLimit>();
        double cpus = cpus("MinCapacity");
        add(limits, "Fargate vCPU on demand", "fargate", "L-3032A538", cpus,
                " while all services are replaced; %s at full load".formatted(Math.round(cpus("MaxCapacity"))), UNKNOWN);
        add(limits, "concurrent functions", "lambda", "L-B99A9384", count("AWS::Lambda::Function", any -> true) == 0 ? 0
                : account.limits().functions(), " (limits.functions of the account)", UNKNOWN);
        add(limits, "databases (clusters)", "rds", "L-952B80B8", count("AWS::RDS::DBCluster", any -> true), "", UNKNOWN);
        add(limits, "databases (instances)", "rds", "L-7B6409FD", count("AWS::RDS::DBInstance", any -> true), "", UNKNOWN);
        add(limits, "interface endpoints of a network", "vpc", "L-29B6F2EB",
                count("AWS::EC2::VPCEndpoint", endpoint -> endpoint.path("VpcEndpointType").asString("").equals("Interface")), "", UNKNOWN);
        add(limits, "networks", "vpc", "L-F678F1CE", count("AWS::EC2::VPC", any -> true), "",
                reader -> others(reader, "AWS::EC2::VPC", "DescribeVpcs", "vpcId"));
        add(limits, "elastic IP addresses", "ec2", "L-0263D0A3", count("AWS::EC2::EIP", any -> true), "",
                reader -> others(reader, "AWS::EC2::EIP", "DescribeAddresses", "publicIp"));
        add(limits, "NAT gateways in a zone", "vpc", "L-FE5A380F", count("AWS::EC2::NatGateway", any -> true), "", UNKNOWN);
        return limits;
    }

    private void add(List<QuotaLimit> limits, String what, String service, String code, double needed, String more,
            ToLongFunction<AccountReader> others) {
        if (needed > 0) limits.add(new QuotaLimit(account, what, service, code, needed, more, others));
    }

    private long count(String type, Predicate<JsonNode> counts) {
        return stacks.stream().flatMap(stack -> stack.resources(type).values().stream()).filter(r -> counts.test(r.path("Properties")))
                .count();
    }

    /** Returns how many of these the account has that no stack of the landscape has created. */
    private long others(AccountReader reader, String type, String action, String element) {
        long ours = stacks.stream()
                .mapToLong(stack -> stack.resources(type).keySet().stream().filter(id -> reader.isOurs(stack.name(), id)).count()).sum();
        return Math.max(0, AccountReader.texts(reader.query("ec2", action, Map.of()), element).stream().distinct().count() - ours);
    }

    /**
     * Returns the CPUs of all tasks while every service runs its old tasks and its new ones, and the engine's tasks run beside them. Tasks
     * on Spot count too, because AWS may place the first ones on demand.
     *
     * @param tasks the property of a scalable target that has the number of a service's tasks
     */
    private double cpus(String tasks) {
        double sum = 0;
        for (Stack stack : stacks) {
            var definitions = new TreeMap<>(stack.resources("AWS::ECS::TaskDefinition"));
            for (var service : stack.resources("AWS::ECS::Service").entrySet()) {
                var properties = service.getValue().path("Properties");
                String definition = properties.at("/TaskDefinition/Ref").asString("");
                var scaled = stack.resources("AWS::ApplicationAutoScaling::ScalableTarget").values().stream()
                        .map(target -> target.path("Properties"))
                        .filter(target -> target.path("ResourceId").toString().contains("\"" + service.getKey() + "\"")).findFirst();
                double count = scaled.map(target -> target.path(tasks).asDouble(1)).orElse(properties.path("DesiredCount").asDouble(1));
                var deployment = properties.path("DeploymentConfiguration");
                boolean rolling = deployment.path("Strategy").asString("ROLLING").equals("ROLLING");
                sum += cpu(stack, definition) * count * (rolling ? deployment.path("MaximumPercent").asDouble(200) / 100 : 2);
                definitions.remove(definition);
            }
            for (String definition : definitions.keySet()) sum += cpu(stack, definition) * enginesAtOnce(stack);
        }
        return sum;
    }

    private static double cpu(Stack stack, String definition) {
        String cpu = stack.resources().path(definition).at("/Properties/Cpu").asString("0").toLowerCase(Locale.ROOT);
        return cpu.endsWith("vcpu") ? Double.parseDouble(cpu.replace("vcpu", "").strip()) : Double.parseDouble(cpu) / 1024;
    }

    /** Returns how many tasks of the engine run at once: one for each shard that is restored, or one that dumps. */
    private int enginesAtOnce(Stack stack) {
        if (!stack.name().equals(Names.targetStack(account.name()))) return 1;
        long targets = account.shards().stream()
                .filter(shard -> landscape.dataSets().stream().anyMatch(dataSet -> !dataSet.source().equals(shard.name()))).count();
        return (int) Math.min(account.limits().shardsAtOnce(), targets);
    }
}
