package lockstep.valve;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import lockstep.landscape.Account;
import lockstep.valve.Attack.Broken;
import lockstep.valve.Attack.Step;
import lockstep.valve.Templates.Resource;
import lockstep.valve.TypeTable.Flow;
import tools.jackson.databind.JsonNode;

/**
 * Finds every place where a production template names a demo or qa account outside the policies that {@link Search} evaluates. Such a
 * connection crosses the border in one direction or the other. Production needs none, because targets subscribe and read by themselves, so
 * none is permitted, whatever its type. Of other templates only links of networks that name production are reported, because CloudFormation
 * creates these only if production accepts them. Otherwise demo's templates decide nothing: an attacker can write anything there.
 */
final class Borders {
    private static final Pattern ACCOUNT_ID = Pattern.compile("(?<![0-9A-Za-z])(\\d{12})(?![0-9A-Za-z])");
    private final Templates templates;
    private final List<Attack> attacks = new ArrayList<>();

    Borders(Templates templates) {
        this.templates = templates;
    }

    List<Attack> attacks() {
        for (var resource : templates.resources()) {
            var crossing = crossing(resource);
            if (crossing.isPresent()) addNetworkLink(resource, crossing.get());
            else if (Claim.isProduction(resource.account()) && !Policies.AS_POLICY.contains(resource.type()))
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
        else if (foreign(text).isPresent() || isForeignEnd(flow(resource).ends(), path.replaceAll("\\[\\d+]", ""), text))
            attacks.add(connection(resource, path, text));
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

    private static Flow flow(Resource resource) {
        return TypeTable.TABLE.data().getOrDefault(resource.type(), new Flow("is connected", Map.of()));
    }

    /** Reports whether a property names an end that may belong to somebody else than production. */
    private boolean isForeignEnd(Map<String, Pattern> ends, String property, String value) {
        return ends.containsKey(property) && !isProductions(value) && !TypeTable.matches(ends.get(property), value);
    }

    /** Reports whether a reference, an ARN or an account id belongs to production. */
    private boolean isProductions(String value) {
        var named = templates.named(value.replaceFirst("^(arn:[^:]*:s3:::[^/]+)/.*$", "$1"));
        var ids = ACCOUNT_ID.matcher(value).results().map(match -> match.group(1)).toList();
        return named.isPresent() ? Claim.isProduction(named.get().account())
                : !ids.isEmpty() && ids.stream().allMatch(id -> account(id).filter(Claim::isProduction).isPresent());
    }

    private Attack connection(Resource resource, String path, String value) {
        String who = foreign(value).flatMap(this::account).map(Account::name).orElse("the owner of " + value), does = flow(resource).does();
        return new Attack(Broken.FLOW, "%s of production %s across the border with %s".formatted(resource.type(), does, who), List.of(
                new Step("any principal of " + who, "controls the other end", value, List.of(), ""),
                new Step(resource.id(), does, value, List.of(resource.id() + " " + path),
                        "production's own template connects it to " + who)));
    }

    /** Returns the property and value of the end of a network link that crosses the border; empty if none does. */
    private Optional<Map.Entry<String, String>> crossing(Resource resource) {
        var ends = TypeTable.TABLE.networks().get(resource.type());
        if (ends == null) return Optional.empty();
        boolean production = Claim.isProduction(resource.account());
        var named = ends.keySet().stream().flatMap(path -> resource.texts(path).stream().map(value -> Map.entry(path, value))).toList();
        if (production && named.isEmpty()) return Optional.of(Map.entry("", resource.id()));
        return named.stream().filter(end -> production ? isForeignEnd(ends, end.getKey(), end.getValue())
                : isProductions(end.getValue()) || end.getValue().contains(Glob.UNKNOWN)).findFirst();
    }

    private void addNetworkLink(Resource resource, Map.Entry<String, String> end) {
        String other = end.getValue();
        String who = Stream.of(resource).filter(link -> !Claim.isProduction(link.account()))
                .map(Resource::account).findFirst().or(() -> templates.named(other).map(Resource::account))
                .or(() -> foreign(resource.properties().toString()).flatMap(this::account)).filter(account -> !Claim.isProduction(account))
                .map(Account::name).orElse("the owner of " + other);
        var steps = new ArrayList<>(List.of(new Step("any host of " + who, "sends packets", other,
                List.of((resource.id() + " " + end.getKey()).strip()), "the networks are connected")));
        templates.ofType("AWS::EC2::Route").filter(
                route -> route.account().equals(resource.account()) && route.properties().toString().contains("\"" + resource.id() + "\""))
                .forEach(route -> steps.add(
                        new Step("production's network", "replies by route", route.text("DestinationCidrBlock"), List.of(route.id()), "")));
        for (var group : templates.ofType("AWS::EC2::SecurityGroup").filter(group -> Claim.isProduction(group.account())).toList()) {
            group.property("SecurityGroupIngress").forEach(rule -> {
                if (rule.has("CidrIp"))
                    steps.add(new Step("any host of " + who, "connects to port " + rule.path("FromPort").asString("any"), group.id(),
                            List.of(group.id() + " SecurityGroupIngress"), "allows " + rule.path("CidrIp").asString()));
            });
        }
        attacks.add(new Attack(Broken.FLOW, "%s connects production's network to that of %s".formatted(resource.type(), who), steps));
    }
}
