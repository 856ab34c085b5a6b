package lockstep.diff;

import static lockstep.assembly.Evaluator.elements;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import lockstep.assembly.Assembly.Stack;
import tools.jackson.databind.JsonNode;

/**
 * Collects the facts of one stack. A key is {@code ROLE.PLACE.PROPERTY}, where the place is the construct path. A container uses its own
 * name instead, as in {@code proxy.gateway.environment.GATEWAY_SIGN_UP}.
 */
final class TemplateFacts {
    /** The key suffix of the fact that holds the type of a resource. */
    static final String TYPE = ".ResourceType";
    /** Prefixes of types that control communication. */
    private static final List<String> COMMUNICATION = List.of("AWS::IAM::", "AWS::EC2::SecurityGroup", "AWS::EC2::VPCEndpoint",
            "AWS::EC2::InternetGateway", "AWS::EC2::VPCGatewayAttachment",
            "AWS::EC2::Route", "AWS::EC2::NatGateway", "AWS::EC2::EIP", "AWS::EC2::VPCPeeringConnection", "AWS::ElasticLoadBalancingV2::",
            "AWS::WAFv2::", "AWS::SNS::", "AWS::SES::",
            "AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy", "AWS::ServiceDiscovery::", "AWS::Route53::", "AWS::CertificateManager::",
            "AWS::Lambda::Permission", "AWS::Lambda::Url");
    /** Types with such a prefix that do not control communication. */
    private static final Set<String> INFRASTRUCTURE = Set.of("AWS::EC2::RouteTable", "AWS::ElasticLoadBalancingV2::TargetGroup");
    /** Types of which only the open port is reported. */
    private static final Set<String> RULES = Set.of("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress");
    /** Properties that contain the account or edition as a label for people or logs, or in a name. */
    private static final Set<String> LABELS = Set.of("ClusterName", "Description", "GroupDescription", "AlarmDescription", "Comment",
            "DisplayName", "account", "MetricName", "awslogs-stream-prefix", "LogGroupName");
    /** Properties that name an element of a list. */
    private static final List<String> NAMES = List.of("Name", "Key", "name", "ContainerPath", "Id", "Sid");
    /** Names that the CDK generates from construct paths. */
    private static final Set<String> GENERATED = Set.of("Family", "PolicyName");
    private static final Set<String> IDENTITY_TAGS = Set.of("account", "edition", "shard");
    /** A part of a statement and the word that introduces it. */
    private record Part(String name, String word) {}
    private static final List<Part> PARTS = List.of(new Part("Resource", ""), new Part("NotResource", "all but "),
            new Part("Principal", "by "), new Part("NotPrincipal", "by all but "),
            new Part("Condition", "if "));
    private static final Set<String> STATEMENTS = Set.of("PolicyDocument", "AssumeRolePolicyDocument", "KeyPolicy", "ResourcePolicy");

    private final SortedMap<String, Fact> facts;
    private final String role;
    private final Stack stack;
    private final Intrinsics intrinsics;
    private final Masks masks;
    private final ContainerFacts containers;

    TemplateFacts(SortedMap<String, Fact> facts, String role, Stack stack, Intrinsics intrinsics, Masks masks, ContainerFacts containers) {
        this.facts = facts;
        this.role = role;
        this.stack = stack;
        this.intrinsics = intrinsics;
        this.masks = masks;
        this.containers = containers;
    }

    void add() {
        if (stack.terminationProtection())
            facts.put(role + ".TerminationProtection", new Fact(Axis.infrastructure, "true", "manifest.json " + stack.name()));
        stack.resources().properties().forEach(resource -> new Resource(resource.getKey(), resource.getValue()).add());
    }

    private final class Resource {
        private final String key;
        private final String type;
        private final Axis axis;
        private final String source;
        private final JsonNode definition;

        Resource(String logicalId, JsonNode definition) {
            this.definition = definition;
            type = definition.path("Type").asString();
            key = role + "." + masks.maskPlace(stack.place(logicalId));
            axis = COMMUNICATION.stream().anyMatch(type::startsWith) && !INFRASTRUCTURE.contains(type) ? Axis.communication
                    : Axis.infrastructure;
            source = stack.file() + " Resources." + logicalId;
        }

        void add() {
            if (!RULES.contains(type)) put(axis, key + TYPE, type);
            for (String policy : List.of("DeletionPolicy", "UpdateReplacePolicy")) {
                if (definition.has(policy)) put(Axis.infrastructure, key + "." + policy, definition.get(policy).asString());
            }
            JsonNode properties = intrinsics.resolve(stack, definition.path("Properties"));
            switch (type) {
                case "AWS::EC2::SecurityGroup" -> {
                    elements(properties.path("SecurityGroupIngress")).forEach(rule -> rule(key, "ingress", rule));
                    elements(properties.path("SecurityGroupEgress")).forEach(rule -> rule(key, "egress", rule));
                    properties.properties().stream().filter(property -> !property.getKey().startsWith("SecurityGroup"))
                            .forEach(p -> add(key + "." + p.getKey(), p.getKey(), p.getValue()));
                }
                case "AWS::EC2::SecurityGroupIngress" -> rule(key, "ingress", properties);
                case "AWS::EC2::SecurityGroupEgress" -> rule(key, "egress", properties);
                case "AWS::ECS::TaskDefinition" -> {
                    elements(properties.path("ContainerDefinitions")).forEach(this::container);
                    properties.properties().stream().filter(p -> !p.getKey().equals("ContainerDefinitions"))
                            .forEach(p -> add(key + "." + p.getKey(), p.getKey(), p.getValue()));
                }
                default -> properties.properties()
                        .forEach(property -> add(key + "." + property.getKey(), property.getKey(), property.getValue()));
            }
        }

        private void container(JsonNode container) {
            String name = role + "." + container.path("name").asString(container.path("Name").asString());
            container.properties().forEach(property -> {
                switch (property.getKey()) {
                    case "Name", "Image" -> {}
                    case "Environment" -> property.getValue().forEach(variable -> containers.variable(name,
                            variable.path("Name").asString(), variable.path("Value").asString(""), stack, source));
                    case "Secrets" -> property.getValue().forEach(secret -> own(Axis.features,
                            name + ".secret." + secret.path("Name").asString(), secret.path("ValueFrom").asString("")));
                    case "Command", "EntryPoint" -> own(Axis.features, name + "." + property.getKey(), property.getValue().toString());
                    default -> add(name + "." + property.getKey(), property.getKey(), property.getValue());
                }
            });
            containers.image(name, container.path("Image").asString(""), stack, source);
        }

        /** Adds a security group rule. It is always reported alone, because each rule opens a port or a way out. */
        private void rule(String group, String direction, JsonNode rule) {
            String protocol = rule.path("IpProtocol").asString("").replace("-1", "all");
            String from = rule.path("FromPort").asString(""), to = rule.path("ToPort").asString("");
            String port = from.isEmpty() ? protocol : protocol + "/" + (from.equals(to) ? from : from + "-" + to);
            var peer = List
                    .of("CidrIp", "CidrIpv6", "SourceSecurityGroupId", "DestinationSecurityGroupId", "SourcePrefixListId",
                            "DestinationPrefixListId")
                    .stream()
                    .map(rule::path).filter(JsonNode::isValueNode).map(JsonNode::asString).collect(Collectors.joining(" "));
            // the CDK's placeholder rule for no outbound traffic
            if (peer.equals("255.255.255.255/32")) return;
            merge(Axis.communication, group + "." + direction + "." + port, peer, "");
        }

        private void add(String path, String name, JsonNode value) {
            if (STATEMENTS.contains(name) && value.has("Statement")) {
                elements(value.get("Statement")).forEach(statement -> statement(path, statement));
            } else if (value.isObject()) {
                value.properties().forEach(property -> add(path + "." + property.getKey(), property.getKey(), property.getValue()));
            } else if (value.isArray() && value.valueStream().anyMatch(JsonNode::isContainer)) {
                int index = 0;
                for (JsonNode element : value) {
                    String id = NAMES.stream().map(element::path).filter(JsonNode::isString).map(JsonNode::asString).findFirst()
                            .orElse("" + index);
                    if (!isIdentity(name, id, element)) add(path + "." + id.replaceAll("\\s+", "-"), id, nameless(element));
                    index++;
                }
            } else {
                String text = value.isString() ? value.asString() : value.toString();
                put(axis, path, LABELS.contains(name) ? masks.maskLabel(text) : GENERATED.contains(name) ? masks.maskPlace(text) : text);
            }
        }

        private boolean isIdentity(String list, String id, JsonNode tag) {
            return list.equals("Tags") && IDENTITY_TAGS.contains(id)
                    && (masks.identity().contains(tag.path("Value").asString()) || tag.path("Value").asString().matches("<.*shard.*>"));
        }

        /** Returns b for {@code {Key: a, Value: b}}, because the path contains the key. */
        private static JsonNode nameless(JsonNode element) {
            return element.isObject() && element.size() == 2 && element.has("Value") ? element.get("Value") : element;
        }

        private void statement(String path, JsonNode statement) {
            String effect = statement.path("Effect").asString("Allow").toLowerCase(java.util.Locale.ROOT);
            var terms = new ArrayList<String>();
            for (Part part : PARTS) {
                if (statement.has(part.name())) terms.add(part.word() + plain(statement.get(part.name())));
            }
            // the name of such an asset changes with its content, which is compared for the container that reads it
            String text = String.join(" ", terms).replaceAll("[0-9a-f]{64}(?=\\.json)", "<asset>");
            for (JsonNode action : elements(statement.has("Action") ? statement.get("Action") : statement.path("NotAction"))) {
                merge(Axis.communication, path + "." + effect + "." + (statement.has("NotAction") ? "not-" : "") + action.asString(), text,
                        role);
            }
        }

        private static String plain(JsonNode node) {
            if (node.isString()) return node.asString();
            return node.isArray() && node.valueStream().allMatch(JsonNode::isString)
                    ? node.valueStream().map(JsonNode::asString).sorted().collect(Collectors.joining(", ")) : node.toString();
        }

        private void put(Axis axis, String key, String value) {
            facts.put(key, new Fact(axis, value, false, source, this.key));
        }

        private void own(Axis axis, String key, String value) {
            facts.put(key, new Fact(axis, value, source));
        }

        /** Adds a value to a fact, because several rules or statements may apply to the same port or action. */
        private void merge(Axis axis, String key, String value, String whole) {
            var values = new TreeSet<String>();
            if (facts.containsKey(key)) values.addAll(facts.get(key).value().lines().toList());
            values.add(value);
            facts.put(key, new Fact(axis, String.join("\n", values), false, source, whole));
        }
    }
}
