package lockstep.infra;

import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import software.amazon.awscdk.services.elasticloadbalancingv2.ApplicationLoadBalancer;
import software.amazon.awscdk.services.wafv2.CfnLoggingConfiguration;
import software.amazon.awscdk.services.wafv2.CfnWebACL;
import software.amazon.awscdk.services.wafv2.CfnWebACLAssociation;
import software.constructs.Construct;

/** The web application firewall of a load balancer. It blocks known attackers, known attacks and clients that send too many requests. */
final class WebFirewall extends Construct {
    /** Requests per address in five minutes. */
    private static final int ANY = 3000;
    /** Each creates a tenant, which is costly, and nobody needs many. */
    private static final int SIGN_UPS = 10;
    /** Each sends a message to sales. */
    private static final int INQUIRIES = 10;
    /** Each hashes a password, which takes CPU time. */
    private static final int LOGINS = 60;

    WebFirewall(Construct scope, NetworkStack network, ApplicationLoadBalancer balancer) {
        super(scope, "Firewall");
        var acl = CfnWebACL.Builder.create(this, "Rules")
                .scope("REGIONAL")
                .defaultAction(CfnWebACL.DefaultActionProperty.builder().allow(CfnWebACL.AllowActionProperty.builder().build()).build())
                .visibilityConfig(visibility("Firewall"))
                .rules(List.of(
                        managed(0, "AWSManagedRulesAmazonIpReputationList"),
                        // a page of Japanese text in a form exceeds the rule's 8 KiB; nginx and the application have their own limits
                        managed(1, "AWSManagedRulesCommonRuleSet", "SizeRestrictions_BODY"),
                        managed(2, "AWSManagedRulesKnownBadInputsRuleSet"),
                        rate(3, "AnyRequest", rateOf(ANY).build()),
                        rate(4, "SignUp", rateOf(SIGN_UPS).scopeDownStatement(posts("/signup")).build()),
                        rate(5, "Inquiry", rateOf(INQUIRIES).scopeDownStatement(posts("/inquiry")).build()),
                        rate(6, "LogIn", rateOf(LOGINS).scopeDownStatement(posts("/login")).build())))
                .build();
        CfnWebACLAssociation.Builder.create(this, "Association").resourceArn(balancer.getLoadBalancerArn()).webAclArn(acl.getAttrArn())
                .build();
        // WAF only writes to log groups with this prefix
        var logs = network.logGroup(this, "Logs", "aws-waf-logs-" + balancer.getStack().getStackName());
        CfnLoggingConfiguration.Builder.create(this, "Logging")
                .resourceArn(acl.getAttrArn())
                .logDestinationConfigs(List.of(logs.getLogGroupArn()))
                .redactedFields(List.of(header("authorization"), header("cookie")))
                .build();
    }

    /** @param counted rules of the group that only count requests and do not block them */
    private static CfnWebACL.RuleProperty managed(int priority, String group, String... counted) {
        return CfnWebACL.RuleProperty.builder().name(group).priority(priority)
                .statement(CfnWebACL.StatementProperty.builder()
                        .managedRuleGroupStatement(CfnWebACL.ManagedRuleGroupStatementProperty.builder().vendorName("AWS").name(group)
                                .ruleActionOverrides(
                                        counted.length == 0 ? null : Stream
                                                .of(counted).map(rule -> CfnWebACL.RuleActionOverrideProperty.builder().name(rule)
                                                        .actionToUse(CfnWebACL.RuleActionProperty.builder()
                                                                .count(CfnWebACL.CountActionProperty.builder().build()).build())
                                                        .build())
                                                .toList())
                                .build())
                        .build())
                .overrideAction(CfnWebACL.OverrideActionProperty.builder().none(Map.of()).build())
                .visibilityConfig(visibility(group)).build();
    }

    private static CfnWebACL.RuleProperty rate(int priority, String name, CfnWebACL.RateBasedStatementProperty statement) {
        return CfnWebACL.RuleProperty.builder().name(name).priority(priority)
                .statement(CfnWebACL.StatementProperty.builder().rateBasedStatement(statement).build())
                .action(CfnWebACL.RuleActionProperty.builder()
                        .block(CfnWebACL.BlockActionProperty.builder()
                                .customResponse(CfnWebACL.CustomResponseProperty.builder().responseCode(429).build()).build())
                        .build())
                .visibilityConfig(visibility(name)).build();
    }

    private static CfnWebACL.RateBasedStatementProperty.Builder rateOf(int limit) {
        return CfnWebACL.RateBasedStatementProperty.builder().aggregateKeyType("IP").limit(limit).evaluationWindowSec(300);
    }

    private static CfnWebACL.StatementProperty posts(String path) {
        return CfnWebACL.StatementProperty.builder().andStatement(CfnWebACL.AndStatementProperty.builder().statements(List.of(
                matches(CfnWebACL.FieldToMatchProperty.builder().method(Map.of()).build(), "EXACTLY", "POST", "NONE"),
                matches(CfnWebACL.FieldToMatchProperty.builder().uriPath(Map.of()).build(), "STARTS_WITH", path, "URL_DECODE",
                        "NORMALIZE_PATH")))
                .build()).build();
    }

    private static CfnWebACL.StatementProperty matches(CfnWebACL.FieldToMatchProperty field, String how, String text,
            String... transformations) {
        return CfnWebACL.StatementProperty.builder().byteMatchStatement(CfnWebACL.ByteMatchStatementProperty.builder()
                .fieldToMatch(field).positionalConstraint(how).searchString(text)
                .textTransformations(IntStream.range(0, transformations.length)
                        .mapToObj(i -> CfnWebACL.TextTransformationProperty.builder().priority(i).type(transformations[i]).build())
                        .toList())
                .build()).build();
    }

    private static CfnWebACL.VisibilityConfigProperty visibility(String name) {
        return CfnWebACL.VisibilityConfigProperty.builder().metricName(name).cloudWatchMetricsEnabled(true).sampledRequestsEnabled(true)
                .build();
    }

    private static CfnLoggingConfiguration.FieldToMatchProperty header(String name) {
        return CfnLoggingConfiguration.FieldToMatchProperty.builder().singleHeader(Map.of("Name", name)).build();
    }
}
