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
 * Finds every place where a production template names a demo or qa account outside the policies that {@link Search} evaluates. Such a
 * connection crosses the border in one direction or the other. Production needs none, because targets subscribe and read by themselves, so
 * none is permitted, whatever its type. Demo's templates are not checked: an attacker who controls demo can write anything there, and
 * production decides what to accept.
 */
final class Borders {
    private static final Pattern ACCOUNT_ID = Pattern.compile("(?<![0-9A-Za-z])(\\d{12})(?![0-9A-Za-z])");
    /** What a connection of each type does, for the report. Other types are found as well. */
    private static final Map<String, String> EFFECTS = Map.ofEntries(
            Map.entry("AWS::Lambda::EventSourceMapping", "takes records"), Map.entry("AWS::SNS::Subscription", "takes messages"),
            Map.entry("AWS::S3::Bucket", "copies objects"),
            Map.entry("AWS::Events::Rule", "sends events"), Map.entry("AWS::Logs::SubscriptionFilter", "sends logs"),
            Map.entry("AWS::EC2::VPCPeeringConnection", "carries packets"),
            Map.entry("AWS::EC2::VPCEndpoint", "opens connections"), Map.entry("AWS::IAM::Policy", "may act"),
            Map.entry("AWS::IAM::Role", "may act"), Map.entry("AWS::IAM::ManagedPolicy", "may act"),
            Map.entry("AWS::Pipes::Pipe", "takes and sends records"), Map.entry("AWS::DMS::Endpoint", "copies rows"));
    /** Types that connect networks, and the property that names the other end. The template does not have to say who owns that end. */
    private static final Map<String,
            String> NETWORK_LINKS = Map.of("AWS::EC2::VPCPeeringConnection", "PeerVpcId", "AWS::EC2::TransitGatewayAttachment",
                    "TransitGatewayId",
                    "AWS::EC2::TransitGatewayVpcAttachment", "TransitGatewayId", "AWS::EC2::VPNConnection", "CustomerGatewayId",
                    "AWS::VpcLattice::ServiceNetworkVpcAssociation", "ServiceNetworkIdentifier",
                    "AWS::VpcLattice::ServiceNetworkServiceAssociation", "ServiceNetworkIdentifier");

    private final Templates templates;
    private final List<Attack> attacks = new ArrayList<>();

    Borders(Templates templates) {
        this.templates = templates;
    }

    List<Attack> attacks() {
        for (var resource : templates.resources()) {
            if (!Claim.isProduction(resource.account())) continue;
            if (NETWORK_LINKS.containsKey(resource.type())) addNetworkLink(resource);
            else if (!Policies.AS_POLICY.contains(resource.type()))
                resource.properties().properties().forEach(property -> inspect(resource, property.getKey(), property.getValue()));
        }
        return attacks;
    }

    private void inspect(Resource resource, String path, JsonNode value) {
        String text = value.asString("").strip();
        boolean evaluated = !resource.type().startsWith("AWS::IAM::")
                && (value.has("Statement") || text.startsWith("{") && text.contains("\"Statement\"") && text.contains("\"Effect\""))
                || path.equals("AssumeRolePolicyDocument");
        if (evaluated) return;
        if (value.isObject())
            value.properties().forEach(property -> inspect(resource, path + "." + property.getKey(), property.getValue()));
        else if (value.isArray()) for (int i = 0; i < value.size(); i++) inspect(resource, path + "[" + i + "]", value.get(i));
        else if (value.isString())
            foreign(value.asString()).ifPresent(foreign -> attacks.add(connection(resource, path, value.asString(), foreign)));
    }

    /**
     * Returns the first non-production account of the landscape in the text. Accounts outside the landscape are ignored, because images and
     * layers come from them.
     */
    private Optional<String> foreign(String text) {
        return ACCOUNT_ID.matcher(text).results().map(match -> match.group(1))
                .filter(id -> account(id).filter(account -> !Claim.isProduction(account)).isPresent()).findFirst();
    }

    private Optional<Account> account(String id) {
        return templates.landscape().accounts().stream().filter(account -> account.id().equals(id)).findFirst();
    }

    private Attack connection(Resource resource, String path, String value, String foreign) {
        String who = account(foreign).map(Account::name).orElse("account " + foreign);
        String effect = EFFECTS.getOrDefault(resource.type(), "is connected");
        return new Attack(Broken.FLOW, "%s of production %s across the border with %s".formatted(resource.type(), effect, who), List.of(
                new Step("any principal of " + who, "controls the other end", value, List.of(), ""),
                new Step(resource.id(), effect, value, List.of(resource.id() + " " + path),
                        "production's own template connects it to " + who)));
    }

    private void addNetworkLink(Resource resource) {
        String property = NETWORK_LINKS.get(resource.type()), other = resource.text(property);
        String owner = resource.properties().has("PeerOwnerId") ? resource.text("PeerOwnerId") : resource.account().id();
        var known = templates.resources().stream().filter(made -> made.id().equals(other)).findFirst();
        if (known.isPresent() && Claim.isProduction(known.get().account()) && account(owner).filter(Claim::isProduction).isPresent())
            return;
        String who = known.map(Resource::account).or(() -> account(owner).filter(account -> !Claim.isProduction(account)))
                .map(Account::name).orElse("the owner of " + other);
        var steps = new ArrayList<>(List.of(new Step("any host of " + who, "sends packets", other, List.of(resource.id() + " " + property),
                "the networks are connected")));
        templates.ofType("AWS::EC2::Route").filter(
                route -> route.account().equals(resource.account()) && route.properties().toString().contains("\"" + resource.id() + "\""))
                .forEach(route -> steps.add(
                        new Step("production's network", "replies by route", route.text("DestinationCidrBlock"), List.of(route.id()), "")));
        for (var group : templates.ofType("AWS::EC2::SecurityGroup").filter(group -> group.account().equals(resource.account())).toList()) {
            group.property("SecurityGroupIngress").forEach(rule -> {
                if (rule.has("CidrIp"))
                    steps.add(new Step("any host of " + who, "connects to port " + rule.path("FromPort").asString("any"), group.id(),
                            List.of(group.id() + " SecurityGroupIngress"), "allows " + rule.path("CidrIp").asString()));
            });
        }
        attacks.add(new Attack(Broken.FLOW, "%s connects production's network to that of %s".formatted(resource.type(), who), steps));
    }
}
