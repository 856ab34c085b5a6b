package lockstep.valve;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lockstep.assembly.Evaluator;
import lockstep.landscape.Edition;
import lockstep.valve.Attack.Broken;
import lockstep.valve.Attack.Step;
import lockstep.valve.Templates.Resource;
import lockstep.valve.TypeTable.Exposed;
import tools.jackson.databind.JsonNode;

/** Finds what the internet can reach without AWS permissions: by address, port, route and security group. */
final class Exposure {
    private static final String INTERNET = "anyone on the internet";
    /** The properties that give a resource a public address, and their values. They may be in a text, with or without escaped quotes. */
    private static final Pattern ADDRESS = Pattern
            .compile("\"(%s)(?:\\.\\$)?\\\\*\":\\s*\\\\*\"?([^\\\\\",}\\]]*)"
                    .formatted(String.join("|", TypeTable.TABLE.addresses().keySet())));

    private final Templates templates;
    private final List<Attack> attacks = new ArrayList<>();
    private final Set<String> doors = new TreeSet<>();

    Exposure(Templates templates) {
        this.templates = templates;
        for (var resource : templates.resources()) {
            switch (resource.type()) {
                case "AWS::ElasticLoadBalancingV2::LoadBalancer" -> loadBalancer(resource);
                case "AWS::S3::Bucket" -> bucket(resource);
                default -> {}
            }
            if (!TypeTable.KNOWN.contains(resource.type())) attacks.add(unknown(resource));
            var exposed = TypeTable.TABLE.exposed().stream().filter(entry -> entry.types().contains(resource.type()))
                    .filter(entry -> !isClosed(resource, entry)).toList();
            exposed.forEach(entry -> report(resource, "reaches", resource.type(),
                    List.of(resource.id() + entry.unless().keySet().stream().map(path -> " " + path).collect(Collectors.joining())),
                    "it exposes " + entry.exposes() + ", and is no front door"));
            if (exposed.isEmpty()) address(resource);
        }
    }

    List<Attack> attacks() {
        return attacks;
    }

    /** Returns a description of each open front door. */
    Set<String> doors() {
        return doors;
    }

    private void report(Resource resource, String action, String what, List<String> by, String note) {
        attacks.add(new Attack(Broken.PUBLIC, "the internet reaches %s in %s".formatted(resource.id(), resource.account().name()),
                List.of(new Step(INTERNET, action, what, by, note))));
    }

    // ---- by type

    private Attack unknown(Resource resource) {
        return new Attack(Broken.PUBLIC,
                "the valve does not know what %s of %s can reach or open".formatted(resource.type(), resource.id()),
                List.of(new Step(INTERNET, "may reach", resource.type(), List.of(resource.id()),
                        "remove it, or find out what such a resource connects or exposes and add its type to types.yaml: docs/valve.md")));
    }

    private boolean isClosed(Resource resource, Exposed exposed) {
        return !exposed.unless().isEmpty() && exposed.unless().entrySet().stream().allMatch(closed -> {
            var values = resource.texts(closed.getKey());
            return (values.isEmpty() ? List.of("") : values).stream().map(value -> isInTemplate(resource, value) ? "in a template" : value)
                    .allMatch(value -> TypeTable.matches(closed.getValue(), value));
        });
    }

    private boolean isInTemplate(Resource resource, String value) {
        return templates.named(value).filter(named -> named.account().equals(resource.account())).isPresent();
    }

    private void address(Resource resource) {
        ADDRESS.matcher(resource.properties().toString()).results()
                .filter(match -> !TypeTable.matches(TypeTable.TABLE.addresses().get(match.group(1)), match.group(2))).findFirst()
                .ifPresent(match -> report(resource, "connects to", resource.id(), List.of(resource.id() + " " + match.group(1)),
                        "it has a public address, and is no front door"));
    }

    // ---- load balancers

    private void loadBalancer(Resource balancer) {
        if (balancer.text("Scheme").equals("internal")) return;
        for (var listener : templates.ofType("AWS::ElasticLoadBalancingV2::Listener")
                .filter(listener -> listener.text("LoadBalancerArn").equals(balancer.reference())).toList()) {
            int port = number(listener.property("Port"));
            var groups = Statement.strings(balancer.property("SecurityGroups"));
            var admitted = groups.isEmpty() ? Optional.of("no security group") : openRule(groups, port);
            if (admitted.isEmpty()) continue;
            var problem = problem(balancer, listener, port);
            if (problem.isEmpty())
                doors.add("%s %s, port %d of %s".formatted(balancer.account().name(), listener.text("Protocol"), port, balancer.id()));
            else report(balancer, "connects to port " + port, balancer.reference(),
                    List.of(balancer.id() + " Scheme", listener.id(), admitted.get()), problem.get());
        }
    }

    /** Returns why a public listener is not a front door; empty if it is one. */
    private Optional<String> problem(Resource balancer, Resource listener, int port) {
        var targets = groups(listener);
        var unexpected = targets.stream().filter(
                group -> group.isEmpty() || !group.get().stack().equals(balancer.stack()) || group.get().properties().has("Targets"))
                .findFirst();
        if (unexpected.isPresent())
            return Optional.of("it forwards to targets other than the proxy's: " + unexpected.get().map(Resource::id).orElse("(unknown)"));
        if (Claim.isFrontDoor(balancer, Edition.DEMO)) {
            boolean redirects = Evaluator.elements(listener.property("DefaultActions")).stream()
                    .allMatch(action -> action.path("Type").asString("").equals("redirect"));
            return port == 443 || port == 80 && redirects ? Optional.empty()
                    : Optional.of("the demo's front doors are port 443, and port 80 if it only redirects");
        }
        if (!Claim.isFrontDoor(balancer, Edition.PRODUCTION)) return Optional.of("it is not a front door of the landscape");
        if (port != 443) return Optional.of("only port 443 is a front door of production");
        boolean through = listener.text("Protocol").equals("TCP")
                && targets.stream().allMatch(group -> group.get().text("Protocol").equals("TCP"));
        if (!through) return Optional.of("TLS must end at nginx, which asks for the client certificate; here it ends at the load balancer");
        boolean asks = templates.ofType("AWS::ECS::TaskDefinition").filter(task -> task.stack().equals(balancer.stack()))
                .flatMap(task -> task.property("ContainerDefinitions").valueStream())
                .flatMap(container -> container.path("Environment").valueStream())
                .anyMatch(variable -> variable.path("Name").asString("").equals("CLIENT_AUTHORITY"));
        return asks ? Optional.empty() : Optional.of("no container has CLIENT_AUTHORITY, so none asks for client certificates");
    }

    /** Returns the target groups of a listener and its rules; an element is empty if no template contains the target group. */
    private List<Optional<Resource>> groups(Resource listener) {
        var rules = templates.ofType("AWS::ElasticLoadBalancingV2::ListenerRule")
                .filter(rule -> rule.text("ListenerArn").equals(listener.reference()))
                .flatMap(rule -> rule.property("Actions").valueStream());
        return Stream.concat(listener.property("DefaultActions").valueStream(), rules)
                .flatMap(action -> Stream.concat(Stream.of(action.path("TargetGroupArn")),
                        action.at("/ForwardConfig/TargetGroups").valueStream().map(group -> group.path("TargetGroupArn"))))
                .filter(JsonNode::isString).map(group -> templates.named(group.asString())).toList();
    }

    /** Returns the rule that admits the internet. A group that no template contains counts as open. */
    private Optional<String> openRule(List<String> groups, int port) {
        for (String name : groups) {
            var group = templates.named(name);
            if (group.isEmpty()) return Optional.of("security group " + name + ", which is in no template");
            var rules = group.get().property("SecurityGroupIngress");
            for (int i = 0; i < rules.size(); i++)
                if (isOpen(rules.get(i), port)) return Optional.of(group.get().id() + " SecurityGroupIngress[" + i + "]");
            var separateRule = templates.ofType("AWS::EC2::SecurityGroupIngress")
                    .filter(rule -> rule.text("GroupId").equals(name) && isOpen(rule.properties(), port)).findFirst();
            if (separateRule.isPresent()) return separateRule.map(Resource::id);
        }
        return Optional.empty();
    }

    private static boolean isOpen(JsonNode rule, int port) {
        String from = rule.path("CidrIp").asString(rule.path("CidrIpv6").asString(""));
        boolean world = rule.has("SourcePrefixListId") || !from.isEmpty() && !from.matches(
                "(10\\.|192\\.168\\.|172\\.(1[6-9]|2\\d|3[01])\\.|127\\.|169\\.254\\.|f[cd]).*/(8|9|[12]\\d|3[0-2]|[4-9]\\d|1\\d\\d)");
        boolean all = rule.path("IpProtocol").asString("").equals("-1") || !rule.has("FromPort");
        return world && (all || number(rule.path("FromPort")) <= port && port <= number(rule.path("ToPort")));
    }

    private void bucket(Resource bucket) {
        var block = bucket.property("PublicAccessBlockConfiguration");
        String acl = bucket.text("AccessControl");
        if ((acl.startsWith("Public") || acl.equals("AuthenticatedRead")) && !block.path("IgnorePublicAcls").asBoolean(false)) {
            report(bucket, acl.equals("PublicReadWrite") ? "s3:PutObject" : "s3:GetObject", "arn:aws:s3:::" + bucket.reference() + "/*",
                    List.of(bucket.id() + " AccessControl"), "the public access block does not ignore it");
        }
    }

    private static int number(JsonNode value) {
        return value.isNumber() ? value.asInt() : Integer.parseInt(value.asString("0"));
    }
}
