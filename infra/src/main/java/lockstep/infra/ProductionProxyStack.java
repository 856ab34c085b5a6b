package lockstep.infra;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import lockstep.landscape.Names;
import lockstep.landscape.Proxy;
import software.amazon.awscdk.CfnOutput;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.Tags;
import software.amazon.awscdk.services.cloudwatch.Metric;
import software.amazon.awscdk.services.cloudwatch.MetricOptions;
import software.amazon.awscdk.services.ec2.Peer;
import software.amazon.awscdk.services.ec2.Port;
import software.amazon.awscdk.services.ec2.SecurityGroup;
import software.amazon.awscdk.services.ec2.SubnetSelection;
import software.amazon.awscdk.services.ec2.SubnetType;
import software.amazon.awscdk.services.ecs.ListenerRuleConfiguration;
import software.amazon.awscdk.services.ecs.LoadBalancerTargetOptions;
import software.amazon.awscdk.services.elasticloadbalancingv2.BaseNetworkListenerProps;
import software.amazon.awscdk.services.elasticloadbalancingv2.HealthCheck;
import software.amazon.awscdk.services.elasticloadbalancingv2.NetworkListenerAction;
import software.amazon.awscdk.services.elasticloadbalancingv2.NetworkLoadBalancer;
import software.amazon.awscdk.services.elasticloadbalancingv2.NetworkTargetGroup;
import software.amazon.awscdk.services.elasticloadbalancingv2.NetworkWeightedTargetGroup;
import software.amazon.awscdk.services.elasticloadbalancingv2.Protocol;
import software.amazon.awscdk.services.elasticloadbalancingv2.TargetType;
import software.amazon.awscdk.services.logs.FilterPattern;
import software.amazon.awscdk.services.logs.MetricFilter;
import software.constructs.Construct;

/**
 * The first hop of the production edition: a load balancer that passes TLS through, because nginx itself requests the client's certificate.
 * It does not share a class with the demo's proxy, because the two must be free to differ.
 */
final class ProductionProxyStack extends AccountStack {
    /** A network load balancer may open connections to a target for two minutes after its deregistration. Tasks are stopped after that. */
    private static final Duration DEREGISTRATION = Duration.minutes(3);

    ProductionProxyStack(Construct scope, String id, Props props, NetworkStack network, Proxy proxy) {
        super(scope, id, props, "Lockstep: first hop of the production edition in " + props.account().name());
        Tags.of(this).add("edition", proxy.edition().word());
        var settings = new ProxySettings(this, proxy);
        var task = new ProxyTask(this, network, proxy, settings,
                Map.of("CLIENT_AUTHORITY", settings.url(Names.CLIENT_AUTHORITY), "REVOCATION_LIST", settings.url(Names.REVOCATION_LIST)),
                Map.of());

        var front = SecurityGroup.Builder.create(this, "LoadBalancerGroup").vpc(network.vpc())
                .description("Load balancer of " + proxy.host()).allowAllOutbound(false).build();
        front.addIngressRule(Peer.anyIpv4(), Port.HTTPS, "anyone; nginx requires a client certificate");
        Accepted.finding(front, "AwsSolutions-EC23", "Customers connect from anywhere and authenticate with a client certificate");
        var group = SecurityGroup.Builder.create(this, "Group").vpc(network.vpc()).description("Proxy of " + proxy.host())
                .allowAllOutbound(false).build();
        group.addEgressRule(Peer.anyIpv4(), Port.HTTPS, "S3 and the interface endpoints; there is no other route");
        for (var port : List.of(ProxyTask.PORT, ProxyTask.HEALTH_PORT)) {
            group.getConnections().allowFrom(front, Port.tcp(port), "load balancer");
        }

        var service = new EditionService(task, network, proxy.edition(), task.task(),
                List.of(group, network.applicationClients(this, proxy.edition())), Optional.empty(), EditionService.Rollout.BLUE_GREEN);
        var targets = targets(network, "Targets");
        var others = targets(network, "OtherTargets");
        var balancer = NetworkLoadBalancer.Builder.create(this, "LoadBalancer")
                .vpc(network.vpc()).vpcSubnets(SubnetSelection.builder().subnetType(SubnetType.PUBLIC).build())
                .internetFacing(true).crossZoneEnabled(true)
                .securityGroups(List.of(front))
                .deletionProtection(props.protection().deletion())
                .build();
        if (props.protection().deletion())
            balancer.setAttribute("deletion_protection.enabled", Protection.parameter(this).getValueAsString());
        var listener = balancer.addListener("Https",
                BaseNetworkListenerProps.builder().port(443).protocol(Protocol.TCP)
                        // both target groups must be attached before the service exists; a deployment then changes their weights
                        .defaultAction(NetworkListenerAction.weightedForward(List.of(
                                NetworkWeightedTargetGroup.builder().targetGroup(targets).weight(100).build(),
                                NetworkWeightedTargetGroup.builder().targetGroup(others).weight(0).build())))
                        .build());
        Accepted.finding(balancer, "AwsSolutions-ELB2",
                "A network load balancer logs only TLS that it terminates, and this one passes TLS through; nginx logs each request");
        var shifting = new AlternateTargets(this, targets, others, listener.getListenerArn(), "elasticloadbalancing:ModifyListener",
                ListenerRuleConfiguration.networkListener(listener));
        targets.addTarget(service.loadBalancerTarget(LoadBalancerTargetOptions.builder().containerName("nginx")
                .containerPort(ProxyTask.PORT).alternateTarget(shifting.target()).build()));
        service.getNode().addDependency(shifting.role());
        var minimum = MetricOptions.builder().period(Duration.minutes(5)).statistic("Minimum").build();
        var most = MetricOptions.builder().period(Duration.minutes(1)).statistic("Maximum").build();
        network.operations().alarmWhenNone(this, "OutageAlarm", proxy.host() + ": no proxy has been healthy for three minutes",
                EditionService.healthy(targets.getMetrics().healthyHostCount(most), others.getMetrics().healthyHostCount(most)), 3,
                service);
        network.operations().alarmWhen(this, "FailingAlarm", proxy.host() + ": more than ten requests failed within a minute",
                failing(task.task(), proxy), 10);
        service.rollBackOn(
                network.operations().alarmWhen(this, "UnhealthyAlarm", proxy.host() + ": a proxy has been unhealthy for five minutes",
                        targets.getMetrics().unHealthyHostCount(minimum), 0),
                network.operations().alarmWhen(this, "OthersUnhealthyAlarm", proxy.host() + ": a proxy has been unhealthy for five minutes",
                        others.getMetrics().unHealthyHostCount(minimum), 0));
        Expiry.ofFiles(this, network.operations(), proxy.host(), task.task().logs());
        CfnOutput.Builder.create(this, "Address").value(balancer.getLoadBalancerDnsName()).build();
    }

    /** Counts nginx's 5xx responses in its log, because the load balancer sees no responses. */
    private Metric failing(Task task, Proxy proxy) {
        var namespace = Names.proxyMetrics();
        MetricFilter.Builder.create(this, "Failing").logGroup(task.logs()).metricNamespace(namespace).metricName("Failing").metricValue("1")
                // the gateway's lines have a status too, but no server
                .filterPattern(FilterPattern.all(FilterPattern.numberValue("$.status", ">=", 500), FilterPattern.exists("$.server")))
                .build();
        return Metric.Builder.create().namespace(namespace).metricName("Failing").statistic("Sum").period(Duration.minutes(1)).build();
    }

    private NetworkTargetGroup targets(NetworkStack network, String id) {
        return NetworkTargetGroup.Builder.create(this, id)
                .vpc(network.vpc()).targetType(TargetType.IP).protocol(Protocol.TCP).port(ProxyTask.PORT)
                // nginx limits and logs by client address, and passes the address on
                .preserveClientIp(true)
                .deregistrationDelay(DEREGISTRATION)
                .healthCheck(HealthCheck.builder().protocol(Protocol.HTTP).port(String.valueOf(ProxyTask.HEALTH_PORT))
                        .path(ProxyTask.HEALTH_PATH)
                        .interval(Duration.seconds(10)).timeout(Duration.seconds(5)).healthyThresholdCount(2).unhealthyThresholdCount(2)
                        .build())
                .build();
    }
}
