package lockstep.cost;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import lockstep.assembly.Assembly;
import lockstep.assembly.Evaluator;
import lockstep.cost.Bill.Line;
import lockstep.cost.Bill.NotPriced;
import lockstep.cost.Bill.Saving;
import lockstep.landscape.Account;
import lockstep.landscape.Landscape;
import lockstep.landscape.ShardMetric;
import tools.jackson.databind.JsonNode;

/**
 * Calculates the cost of the synthesized resources of an account. Each type is priced, listed as free, or reported as not priced; none is
 * silently free.
 */
public final class Biller {
    /** Types that are free of charge. */
    private static final Set<String> FREE = Set.of(
            "AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy", "AWS::CDK::Metadata",
            "AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup", "AWS::EC2::InternetGateway", "AWS::EC2::Route",
            "AWS::EC2::RouteTable",
            "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress", "AWS::EC2::Subnet",
            "AWS::EC2::SubnetRouteTableAssociation", "AWS::EC2::VPC",
            "AWS::EC2::VPCGatewayAttachment", "AWS::ECS::TaskDefinition", "AWS::ElasticLoadBalancingV2::Listener",
            "AWS::ElasticLoadBalancingV2::TargetGroup", "AWS::IAM::ManagedPolicy", "AWS::IAM::OIDCProvider",
            "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::KMS::Alias", "AWS::Lambda::Alias", "AWS::Lambda::Permission",
            "AWS::Lambda::Version", "AWS::RDS::DBClusterParameterGroup", "AWS::RDS::DBSubnetGroup",
            "AWS::S3::BucketPolicy", "AWS::SNS::Subscription", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy",
            "AWS::SecretsManager::ResourcePolicy", "AWS::SecretsManager::SecretTargetAttachment",
            "AWS::ServiceDiscovery::Service", "AWS::WAFv2::LoggingConfiguration", "AWS::WAFv2::WebACLAssociation");
    private static final Map<String, String> BY_USE_NOT_KNOWN = Map.of(
            "AWS::EC2::FlowLog", "by the traffic that it records",
            "AWS::SNS::Topic", "by messages: less than a cent for notifications of syncs",
            "AWS::SQS::Queue", "by messages; the functions' polling is priced",
            "AWS::Logs::LogGroup", "by storage, and by logs of anything but the front doors");
    /** The default of Aurora: it pauses after this many seconds without a connection. */
    private static final double PAUSES_AFTER_SECONDS = 300;
    private static final double LEAST_AWAKE = 0.5;
    /** The requests of an event source mapping: five pollers that wait 20 s each. */
    private static final double POLLS_A_MONTH = 5 * LoadProfile.HOURS * 3600 / 20;
    private static final Pattern RATE = Pattern.compile("rate\\((\\d+) (minute|hour|day)s?\\)");

    private final Prices prices;
    private final Landscape landscape;
    private final Account account;
    private final List<Assembly.Stack> stacks;
    private final LoadProfile rest = LoadProfile.rest();
    private final LoadProfile load;
    private final Evaluator evaluator;
    private final Map<String, double[]> lines = new LinkedHashMap<>();
    private final Map<String, NotPriced> notPriced = new TreeMap<>();
    private final List<Saving> pausing = new ArrayList<>();

    private Biller(Prices prices, Landscape landscape, Account account, List<Assembly.Stack> stacks, LoadProfile load) {
        this.prices = prices;
        this.landscape = landscape;
        this.account = account;
        this.stacks = stacks;
        this.load = load;
        evaluator = new Evaluator(stacks);
    }

    public static Bill of(Account account, Landscape landscape, Assembly assembly, Prices prices, LoadProfile load) {
        return new Biller(prices, landscape, account, assembly.stacksOf(account), load).bill();
    }

    private Bill bill() {
        for (var stack : stacks) {
            stack.resources().properties().forEach(resource -> price(stack, resource.getKey(),
                    resource.getValue().path("Type").asString(""), properties(stack, resource.getKey())));
        }
        metrics();
        return new Bill(account.name(),
                lines.entrySet().stream()
                        .map(line -> new Line(line.getKey(), (long) line.getValue()[0], line.getValue()[1], line.getValue()[2]))
                        .sorted(Comparator.comparingDouble(Line::atRest).reversed()).toList(),
                pausing, List.copyOf(notPriced.values()));
    }

    private void price(Assembly.Stack stack, String id, String type, JsonNode properties) {
        switch (type) {
            case "AWS::RDS::DBCluster" -> cluster(stack, id, properties);
            case "AWS::RDS::DBInstance" -> {
                if (!properties.path("DBInstanceClass").asString("").equals("db.serverless"))
                    addNotPriced(type, "class " + properties.path("DBInstanceClass").asString("(none)"));
            }
            case "AWS::ECS::Service" -> service(stack, id, properties);
            case "AWS::ECS::Cluster" -> {
                if (properties.path("ClusterSettings").toString().contains("enabled"))
                    addNotPriced(type, "container insights: metrics by the number of tasks");
            }
            case "AWS::ElasticLoadBalancingV2::LoadBalancer" -> balancer(properties);
            case "AWS::EC2::VPCEndpoint" -> {
                if (properties.path("VpcEndpointType").asString("Gateway").equals("Interface")) {
                    monthly("interface endpoints (hours in each zone)",
                            properties.path("SubnetIds").size() * LoadProfile.HOURS * usd("endpoint-hour"));
                }
            }
            case "AWS::WAFv2::WebACL" -> {
                double fixed = usd("firewall-month") + properties.path("Rules").size() * usd("firewall-rule-month");
                add("firewall (list, rules, requests)", fixed, fixed + load.requests() / 1e6 * usd("firewall-million-requests"));
            }
            case "AWS::SecretsManager::Secret" -> monthly("secrets", usd("secret-month"));
            case "AWS::KMS::Key" -> monthly("keys", usd("key-month"));
            case "AWS::CloudWatch::Alarm" -> monthly("alarms",
                    Math.max(1, properties.path("Metrics").valueStream().filter(metric -> metric.has("MetricStat")).count())
                            * usd("alarm-metric-month"));
            case "AWS::Logs::MetricFilter" -> monthly("metrics of logs", usd("metric-month"));
            case "AWS::CloudWatch::Dashboard" -> monthly("dashboards", usd("dashboard-month"));
            case "AWS::ServiceDiscovery::PrivateDnsNamespace" -> monthly("private namespaces", usd("zone-month"));
            case "AWS::S3::Bucket" -> add("buckets (storage)", rest.bucketGigabytes() * usd("bucket-gb-month"),
                    load.bucketGigabytes() * usd("bucket-gb-month"));
            case "AWS::Lambda::EventSourceMapping" -> monthly("queues (polling)", POLLS_A_MONTH / 1e6 * usd("queue-million-requests"));
            case "AWS::Events::Rule" -> schedule(stack, properties);
            // charged by use; the use by schedules is priced with the schedule
            case "AWS::Lambda::Function", "AWS::StepFunctions::StateMachine" ->
                    addNotPriced(type, "by use: schedules are priced, syncs and imports are not");
            default -> {
                if (BY_USE_NOT_KNOWN.containsKey(type)) addNotPriced(type, BY_USE_NOT_KNOWN.get(type));
                else if (!FREE.contains(type)) addNotPriced(type, "unknown to 'lockstep cost'");
            }
        }
    }

    private void cluster(Assembly.Stack stack, String id, JsonNode properties) {
        var scaling = properties.path("ServerlessV2ScalingConfiguration");
        if (!scaling.has("MaxCapacity")) {
            addNotPriced("AWS::RDS::DBCluster", "not serverless");
            return;
        }
        double least = scaling.path("MinCapacity").asDouble(), most = scaling.path("MaxCapacity").asDouble();
        long instances = propertiesOf(stack, "AWS::RDS::DBInstance")
                .filter(instance -> instance.path("DBClusterIdentifier").asString("").equals(id)).count();
        add("databases (capacity)", instances * unitHours(rest, least, most) * usd("aurora-unit-hour"),
                instances * unitHours(load, least, most) * usd("aurora-unit-hour"));
        add("databases (storage)", rest.databaseGigabytes() * usd("aurora-gb-month"), load.databaseGigabytes() * usd("aurora-gb-month"));
        add("databases (reads and writes)", 0, load.requests() * load.readsPerRequest() / 1e6 * usd("aurora-million-io"));
        pausing.add(saving(stack, scaling, least, instances));
    }

    /**
     * Returns the capacity unit hours. A database with a minimum capacity of 0 counts as awake, because the application stays connected to
     * it.
     */
    private static double unitHours(LoadProfile profile, double least, double most) {
        return profile.hoursIdle() * Math.max(least, LEAST_AWAKE)
                + profile.hoursInUse() * Math.clamp(profile.databaseUnits(), Math.max(least, LEAST_AWAKE), most);
    }

    private Saving saving(Assembly.Stack stack, JsonNode scaling, double least, long instances) {
        double after = scaling.path("SecondsUntilAutoPause").asDouble(PAUSES_AFTER_SECONDS);
        String shard = stack.name().replaceFirst("^.*?-shard-", "");
        double looked = queriedEverySeconds(shard).orElse(Double.POSITIVE_INFINITY);
        double asleep = Math.max(0, 1 - after / looked);
        double database = load.hoursIdle() * asleep * Math.max(least, LEAST_AWAKE) * instances * usd("aurora-unit-hour");
        double service = stack.resources("AWS::ECS::Service").keySet().stream()
                .mapToDouble(
                        id -> tasks(stack, id, properties(stack, id), rest) * taskHour(stack, properties(stack, id)) * load.hoursIdle())
                .sum();
        String reason = (least > 0 ? "its minimum capacity is " + least + ", so it never pauses: set it to 0, and " : "")
                + "stop the application's tasks while nobody uses it"
                + (Double.isInfinite(looked) ? "" : "; a schedule wakes it every " + Math.round(looked / 60) + " min, and it sleeps "
                        + Math.round(asleep * 100) + " % of the idle time");
        return new Saving(shard, database, service, reason);
    }

    /**
     * Returns the period of the most frequent schedule that queries a shard. The watch queries shards that receive a data set; the
     * automatic start of syncs queries its source.
     */
    private Optional<Double> queriedEverySeconds(String shard) {
        boolean source = landscape.dataSets().stream().anyMatch(set -> set.source().equals(shard)),
                target = landscape.dataSets().stream().anyMatch(set -> !set.source().equals(shard));
        return stacks.stream()
                .filter(stack -> source && stack.name().endsWith("master-data-source")
                        || target && stack.name().endsWith("master-data-target"))
                .flatMap(stack -> propertiesOf(stack, "AWS::Events::Rule"))
                .map(rule -> everySeconds(rule.path("ScheduleExpression").asString(""))).flatMap(Optional::stream)
                .min(Double::compare);
    }

    private static Optional<Double> everySeconds(String expression) {
        var matcher = RATE.matcher(expression);
        return matcher.matches() ? Optional.of(Double.parseDouble(matcher.group(1)) * switch (matcher.group(2)) {
            case "minute" -> 60;
            case "hour" -> 3600;
            default -> 86_400;
        }) : Optional.empty();
    }

    private void service(Assembly.Stack stack, String id, JsonNode properties) {
        double hour = taskHour(stack, properties);
        add("containers (Fargate, on demand)", tasks(stack, id, properties, rest) * hour * LoadProfile.HOURS,
                hour * (tasks(stack, id, properties, rest) * load.hoursIdle() + tasks(stack, id, properties, load) * load.hoursInUse()));
    }

    private double taskHour(Assembly.Stack stack, JsonNode service) {
        var task = properties(stack, service.path("TaskDefinition").asString(""));
        return number(task.path("Cpu")) / 1024 * usd("fargate-vcpu-hour") + number(task.path("Memory")) / 1024 * usd("fargate-gb-hour");
    }

    /** Returns the number of tasks at a load, within the limits of the service's auto scaling. */
    private double tasks(Assembly.Stack stack, String id, JsonNode service, LoadProfile profile) {
        var target = propertiesOf(stack, "AWS::ApplicationAutoScaling::ScalableTarget")
                .filter(it -> it.path("ResourceId").asString("").endsWith("/" + id + ".Name")).findFirst();
        double least = target.map(it -> number(it.path("MinCapacity"))).orElse(service.path("DesiredCount").asDouble(1));
        double most = target.map(it -> number(it.path("MaxCapacity"))).orElse(least);
        return Math.clamp(profile.tasks(), least, most);
    }

    private void balancer(JsonNode properties) {
        boolean network = properties.path("Type").asString("application").equals("network");
        String name = network ? "network-balancer" : "application-balancer";
        double fixed = LoadProfile.HOURS * usd(name + "-hour");
        if (properties.path("Scheme").asString("").equals("internet-facing")) {
            fixed += properties.path("Subnets").size() * LoadProfile.HOURS * usd("public-address-hour");
        }
        // in the worst case, each request uses its own connection
        double perHour = load.hoursInUse() == 0 ? 0
                : Math.max(load.gigabytesOut() / load.hoursInUse(), load.requestsPerSecond() / (network ? 800 : 25));
        add("load balancers (hours, addresses, units)", fixed, fixed + perHour * load.hoursInUse() * usd(name + "-unit-hour"));
        add("transfer to the internet", 0, load.gigabytesOut() * usd("transfer-out-gb"));
        double logged = load.requests() * load.logBytesPerRequest() / 1e9;
        add("logs of front doors", 0, logged * (usd("logs-gb") + usd("endpoint-gb")));
    }

    /**
     * Prices a schedule. It assumes that each state of its state machine is entered once per shard of the account, and that one function
     * runs per shard.
     */
    private void schedule(Assembly.Stack stack, JsonNode properties) {
        var every = everySeconds(properties.path("ScheduleExpression").asString(""));
        if (every.isEmpty()) return;
        double runs = LoadProfile.HOURS * 3600 / every.get();
        int states = properties.path("Targets").valueStream()
                .map(target -> properties(stack, target.path("Arn").asString("")).toString())
                .mapToInt(definition -> definition.split("\\\\*\"Type\\\\*\":\\\\*\"", -1).length - 1).sum();
        double memory = propertiesOf(stack, "AWS::Lambda::Function").mapToDouble(it -> it.path("MemorySize").asDouble(128)).max()
                .orElse(128)
                / 1024;
        int shards = account.shards().size();
        double transitions = runs * states * shards / 1000 * usd("thousand-transitions");
        add("schedules (states and functions)", transitions + functions(runs * shards, rest, memory),
                transitions + functions(runs * shards, load, memory));
    }

    private double functions(double invocations, LoadProfile profile, double memory) {
        return invocations * profile.lookSeconds() * memory * usd("function-gb-second")
                + invocations / 1e6 * usd("function-million-requests");
    }

    /** Prices the metrics that the watch puts for each shard that receives a data set. No resource represents them. */
    private void metrics() {
        long receiving = landscape.dataSets().stream().mapToLong(set -> landscape.targetsIn(account, set).size()).sum();
        for (long i = 0; i < receiving * ShardMetric.values().length; i++) monthly("metrics of shards", usd("metric-month"));
    }

    /** Returns the evaluated properties of a resource. */
    private JsonNode properties(Assembly.Stack stack, String id) {
        return evaluator.resolve(stack, stack.resources().path(id).path("Properties"));
    }

    private Stream<JsonNode> propertiesOf(Assembly.Stack stack, String type) {
        return stack.resources(type).keySet().stream().map(id -> properties(stack, id));
    }

    private double usd(String price) {
        return prices.of(price).usd();
    }

    private static double number(JsonNode node) {
        return node.isNumber() ? node.asDouble() : Double.parseDouble(node.asString("0"));
    }

    private void monthly(String what, double usd) {
        add(what, usd, usd);
    }

    private void add(String what, double atRest, double atLoad) {
        var sum = lines.computeIfAbsent(what, _ -> new double[3]);
        sum[0]++;
        sum[1] += atRest;
        sum[2] += atLoad;
    }

    private void addNotPriced(String type, String reason) {
        notPriced.merge(type + " " + reason, new NotPriced(type, 1, reason), (one, _) -> new NotPriced(type, one.count() + 1, reason));
    }
}
