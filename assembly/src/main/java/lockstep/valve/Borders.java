package lockstep.valve;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import lockstep.landscape.Account;
import lockstep.valve.Attack.Broken;
import lockstep.valve.Attack.Step;
import lockstep.valve.Templates.Resource;
import tools.jackson.databind.JsonNode;

/**
 * Where a template of production names an account of demo or qa, outside of the policies that {@link Search} evaluates: whatever is wired
 * there leads over the border, in one direction or the other. Production needs no such wire, since targets subscribe and read by themselves; so none is
 * permitted, of whatever type. What demo's templates name does not matter: whoever holds demo writes there what they like, and production decides.
 */
final class Borders {
    private static final Pattern ACCOUNT_ID = Pattern.compile("(?<![0-9A-Za-z])(\\d{12})(?![0-9A-Za-z])");
    /** What is done by a wire of this type. Other types are found as well. */
    private static final Map<String, String> DOES = Map.ofEntries(
            Map.entry("AWS::Lambda::EventSourceMapping", "takes records"), Map.entry("AWS::SNS::Subscription", "takes messages"), Map.entry("AWS::S3::Bucket", "copies objects"),
            Map.entry("AWS::Events::Rule", "sends events"), Map.entry("AWS::Logs::SubscriptionFilter", "sends logs"), Map.entry("AWS::EC2::VPCPeeringConnection", "carries packets"),
            Map.entry("AWS::EC2::VPCEndpoint", "opens connections"), Map.entry("AWS::IAM::Policy", "may act"), Map.entry("AWS::IAM::Role", "may act"), Map.entry("AWS::IAM::ManagedPolicy", "may act"),
            Map.entry("AWS::Pipes::Pipe", "takes and sends records"), Map.entry("AWS::DMS::Endpoint", "copies rows"));
    /** They tie networks together, and the template need not say whose the other end is. */
    private static final Map<String, String> TIES = Map.of("AWS::EC2::VPCPeeringConnection", "PeerVpcId", "AWS::EC2::TransitGatewayAttachment", "TransitGatewayId",
            "AWS::EC2::TransitGatewayVpcAttachment", "TransitGatewayId", "AWS::EC2::VPNConnection", "CustomerGatewayId", "AWS::VpcLattice::ServiceNetworkVpcAssociation", "ServiceNetworkIdentifier",
            "AWS::VpcLattice::ServiceNetworkServiceAssociation", "ServiceNetworkIdentifier");

    private final Templates templates;
    private final List<Attack> attacks = new ArrayList<>();

    Borders(Templates templates) {
        this.templates = templates;
    }

    List<Attack> attacks() {
        for (var resource : templates.resources()) {
            if (!Claim.isProduction(resource.account())) continue;
            if (TIES.containsKey(resource.type())) tie(resource);
            else if (!Policies.AS_POLICY.contains(resource.type())) resource.properties().properties().forEach(property -> look(resource, property.getKey(), property.getValue()));
        }
        return attacks;
    }

    private void look(Resource resource, String path, JsonNode value) {
        String text = value.asString("").strip();
        boolean evaluated = !resource.type().startsWith("AWS::IAM::") && (value.has("Statement") || text.startsWith("{") && text.contains("\"Statement\"") && text.contains("\"Effect\"")) || path.equals("AssumeRolePolicyDocument");
        if (evaluated) return;
        if (value.isObject()) value.properties().forEach(property -> look(resource, path + "." + property.getKey(), property.getValue()));
        else if (value.isArray()) for (int i = 0; i < value.size(); i++) look(resource, path + "[" + i + "]", value.get(i));
        else if (value.isString()) stranger(value.asString()).ifPresent(stranger -> attacks.add(wire(resource, path, value.asString(), stranger)));
    }

    /** An account of the landscape that is not production's, in what stands here. Other accounts are not asked about: images and layers come from them. */
    private Optional<String> stranger(String text) {
        return ACCOUNT_ID.matcher(text).results().map(match -> match.group(1)).filter(id -> account(id).filter(account -> !Claim.isProduction(account)).isPresent()).findFirst();
    }

    private Optional<Account> account(String id) {
        return templates.landscape().accounts().stream().filter(account -> account.id().equals(id)).findFirst();
    }

    private Attack wire(Resource resource, String path, String value, String stranger) {
        String who = account(stranger).map(Account::name).orElse("account " + stranger);
        String does = DOES.getOrDefault(resource.type(), "is wired");
        return new Attack(Broken.FLOW, "%s of production %s over the border to %s".formatted(resource.type(), does, who), List.of(
                new Step("any principal of " + who, "holds the other end", value, List.of(), ""),
                new Step(resource.id(), does, value, List.of(resource.id() + " " + path), "production's own template connects it to " + who)));
    }

    private void tie(Resource resource) {
        String property = TIES.get(resource.type()), other = resource.text(property);
        String owner = resource.properties().has("PeerOwnerId") ? resource.text("PeerOwnerId") : resource.account().id();
        var known = templates.resources().stream().filter(made -> made.id().equals(other)).findFirst();
        if (known.isPresent() && Claim.isProduction(known.get().account()) && account(owner).filter(Claim::isProduction).isPresent()) return;
        String who = known.map(Resource::account).or(() -> account(owner).filter(account -> !Claim.isProduction(account))).map(Account::name).orElse("whoever holds " + other);
        var steps = new ArrayList<>(List.of(new Step("any host of " + who, "sends packets", other, List.of(resource.id() + " " + property), "the networks are tied together")));
        templates.ofType("AWS::EC2::Route").filter(route -> route.account().equals(resource.account()) && route.properties().toString().contains("\"" + resource.id() + "\""))
                .forEach(route -> steps.add(new Step("production's network", "answers by route", route.text("DestinationCidrBlock"), List.of(route.id()), "")));
        for (var group : templates.ofType("AWS::EC2::SecurityGroup").filter(group -> group.account().equals(resource.account())).toList()) {
            group.property("SecurityGroupIngress").forEach(rule -> {
                if (rule.has("CidrIp")) steps.add(new Step("any host of " + who, "connects to port " + rule.path("FromPort").asString("any"), group.id(), List.of(group.id() + " SecurityGroupIngress"), "admits " + rule.path("CidrIp").asString()));
            });
        }
        attacks.add(new Attack(Broken.FLOW, "%s ties production's network to that of %s".formatted(resource.type(), who), steps));
    }
}
