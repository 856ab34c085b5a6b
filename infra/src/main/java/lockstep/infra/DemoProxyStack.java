package lockstep.infra;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import lockstep.landscape.Proxy;
import software.amazon.awscdk.CfnOutput;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.Tags;
import software.amazon.awscdk.services.cloudwatch.MetricOptions;
import software.amazon.awscdk.services.ec2.Peer;
import software.amazon.awscdk.services.ec2.Port;
import software.amazon.awscdk.services.ec2.SecurityGroup;
import software.amazon.awscdk.services.ec2.SubnetSelection;
import software.amazon.awscdk.services.ec2.SubnetType;
import software.amazon.awscdk.services.ecs.ListenerRuleConfiguration;
import software.amazon.awscdk.services.ecs.LoadBalancerTargetOptions;
import software.amazon.awscdk.services.elasticloadbalancingv2.ApplicationListenerRule;
import software.amazon.awscdk.services.elasticloadbalancingv2.ApplicationLoadBalancer;
import software.amazon.awscdk.services.elasticloadbalancingv2.ApplicationProtocol;
import software.amazon.awscdk.services.elasticloadbalancingv2.ApplicationTargetGroup;
import software.amazon.awscdk.services.elasticloadbalancingv2.BaseApplicationListenerProps;
import software.amazon.awscdk.services.elasticloadbalancingv2.DesyncMitigationMode;
import software.amazon.awscdk.services.elasticloadbalancingv2.HealthCheck;
import software.amazon.awscdk.services.elasticloadbalancingv2.HttpCodeElb;
import software.amazon.awscdk.services.elasticloadbalancingv2.HttpCodeTarget;
import software.amazon.awscdk.services.elasticloadbalancingv2.ListenerAction;
import software.amazon.awscdk.services.elasticloadbalancingv2.ListenerCertificate;
import software.amazon.awscdk.services.elasticloadbalancingv2.ListenerCondition;
import software.amazon.awscdk.services.elasticloadbalancingv2.Protocol;
import software.amazon.awscdk.services.elasticloadbalancingv2.RedirectOptions;
import software.amazon.awscdk.services.elasticloadbalancingv2.SslPolicy;
import software.amazon.awscdk.services.elasticloadbalancingv2.TargetType;
import software.amazon.awscdk.services.elasticloadbalancingv2.WeightedTargetGroup;
import software.constructs.Construct;

/**
 * The first hop of the demo edition: a load balancer that terminates TLS, behind a web application firewall because it is open to the
 * public. It does not share a class with production's proxy, because the two must be free to differ.
 */
final class DemoProxyStack extends AccountStack {
    private static final Duration DEREGISTRATION = Duration.seconds(10);
    /** A Spot task that AWS reclaims is told to stop while the load balancer still sends requests to it. */
    private static final Duration NGINX_DRAIN_DELAY = Duration.seconds(10);

    DemoProxyStack(Construct scope, String id, Props props, NetworkStack network, Proxy proxy) {
        super(scope, id, props, "Lockstep: first hop of the demo edition in " + props.account().name());
        Tags.of(this).add("edition", proxy.edition().word());
        var settings = new ProxySettings(this, proxy);
        // trusts every address of the network to name the client, because security groups admit only the load balancer
        var task = new ProxyTask(this, network, proxy, settings, Map.of(),
                Map.of("TRUSTED_PROXIES", network.cidr(), "DRAIN_DELAY", String.valueOf(NGINX_DRAIN_DELAY.toSeconds())));

        var front = SecurityGroup.Builder.create(this, "LoadBalancerGroup").vpc(network.vpc())
                .description("Load balancer of " + proxy.host()).allowAllOutbound(false).build();
        front.addIngressRule(Peer.anyIpv4(), Port.HTTPS, "anyone");
        front.addIngressRule(Peer.anyIpv4(), Port.HTTP, "anyone; redirected to HTTPS");
        Accepted.finding(front, "AwsSolutions-EC23", "The demo is open to the public, behind a web application firewall");
        var group = SecurityGroup.Builder.create(this, "Group").vpc(network.vpc()).description("Proxy of " + proxy.host())
                .allowAllOutbound(false).build();
        group.addEgressRule(Peer.anyIpv4(), Port.HTTPS, "S3 and the interface endpoints; there is no other route");
        group.getConnections().allowFrom(front, Port.tcp(ProxyTask.HEALTH_PORT), "load balancer");

        var service = new EditionService(task, network, proxy.edition(), task.task(),
                List.of(group, network.applicationClients(this, proxy.edition())), Optional.empty(), EditionService.Rollout.CANARY);
        var targets = targets(network, "Targets");
        var others = targets(network, "OtherTargets");
        var balancer = ApplicationLoadBalancer.Builder.create(this, "LoadBalancer")
                .vpc(network.vpc()).vpcSubnets(SubnetSelection.builder().subnetType(SubnetType.PUBLIC).build())
                .internetFacing(true)
                .securityGroup(front)
                .dropInvalidHeaderFields(true).desyncMitigationMode(DesyncMitigationMode.STRICTEST)
                .deletionProtection(props.protection().deletion())
                .build();
        balancer.logAccessLogs(settings.logs(), "balancer");
        var listener = balancer.addListener("Https", BaseApplicationListenerProps.builder()
                .port(443).protocol(ApplicationProtocol.HTTPS).open(false)
                .certificates(List.of(ListenerCertificate.fromArn(proxy.certificate().orElseThrow())))
                .sslPolicy(SslPolicy.TLS13_12_RES_PQ)
                // never used: the rule below matches every request. A deployment can modify a rule, but not a default action
                .defaultAction(ListenerAction.fixedResponse(503)).build());
        // both target groups must be attached before the service exists; a deployment then changes their weights
        var rule = ApplicationListenerRule.Builder.create(this, "Everything").listener(listener).priority(1)
                .conditions(List.of(ListenerCondition.pathPatterns(List.of("/*"))))
                .action(ListenerAction.weightedForward(List.of(
                        WeightedTargetGroup.builder().targetGroup(targets).weight(100).build(),
                        WeightedTargetGroup.builder().targetGroup(others).weight(0).build())))
                .build();
        balancer.addListener("Http", BaseApplicationListenerProps.builder()
                .port(80).protocol(ApplicationProtocol.HTTP).open(false)
                .defaultAction(ListenerAction.redirect(RedirectOptions.builder().protocol("HTTPS").port("443").permanent(true).build()))
                .build());
        var shifting = new AlternateTargets(this, targets, others, rule.getListenerRuleArn(), "elasticloadbalancing:ModifyRule",
                ListenerRuleConfiguration.applicationListenerRule(rule));
        targets.addTarget(service.loadBalancerTarget(LoadBalancerTargetOptions.builder().containerName("nginx")
                .containerPort(ProxyTask.PORT).alternateTarget(shifting.target()).build()));
        service.getNode().addDependency(shifting.role());
        new WebFirewall(this, network, balancer);
        var minimum = MetricOptions.builder().period(Duration.minutes(5)).statistic("Minimum").build();
        var most = MetricOptions.builder().period(Duration.minutes(1)).statistic("Maximum").build();
        network.operations().alarmWhenNone(this, "OutageAlarm", proxy.host() + ": no proxy has been healthy for three minutes",
                EditionService.healthy(targets.getMetrics().healthyHostCount(most), others.getMetrics().healthyHostCount(most)), 3,
                service);
        network.operations().alarmWhen(this, "BalancerFailingAlarm",
                proxy.host() + ": the load balancer itself answered more than ten requests with 5xx within a minute",
                balancer.getMetrics().httpCodeElb(HttpCodeElb.ELB_5XX_COUNT,
                        MetricOptions.builder().period(Duration.minutes(1)).statistic("Sum").build()),
                10);
        network.operations().alarmWhen(this, "UnhealthyAlarm", proxy.host() + ": a proxy has been unhealthy for five minutes",
                targets.getMetrics().unhealthyHostCount(minimum), 0);
        network.operations().alarmWhen(this, "OthersUnhealthyAlarm", proxy.host() + ": a proxy has been unhealthy for five minutes",
                others.getMetrics().unhealthyHostCount(minimum), 0);
        service.rollBackOn(network.operations().alarmWhen(this, "FailingAlarm",
                proxy.host() + ": more than ten requests failed within a minute; a running deployment is rolled back",
                balancer.getMetrics().httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT,
                        MetricOptions.builder().period(Duration.minutes(1)).statistic("Sum").build()),
                10));
        Expiry.ofCertificate(this, network.operations(), proxy.host(), proxy.certificate().orElseThrow());
        CfnOutput.Builder.create(this, "Address").value(balancer.getLoadBalancerDnsName()).build();
    }

    private ApplicationTargetGroup targets(NetworkStack network, String id) {
        return ApplicationTargetGroup.Builder.create(this, id)
                .vpc(network.vpc()).targetType(TargetType.IP).protocol(ApplicationProtocol.HTTPS).port(ProxyTask.PORT)
                .deregistrationDelay(DEREGISTRATION)
                .healthCheck(HealthCheck.builder().protocol(Protocol.HTTP).port(String.valueOf(ProxyTask.HEALTH_PORT))
                        .path(ProxyTask.HEALTH_PATH)
                        .interval(Duration.seconds(10)).timeout(Duration.seconds(5)).healthyThresholdCount(2).unhealthyThresholdCount(2)
                        .build())
                .build();
    }
}
