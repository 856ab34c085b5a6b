package lockstep.valve;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import lockstep.assembly.Assembly;
import lockstep.assembly.Evaluator;
import lockstep.valve.Statement.Right;
import lockstep.valve.Statement.Source;
import lockstep.valve.Templates.Resource;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** All policies of the templates: those of identities and those of resources. */
final class Policies {
    /** A role or user. @param boundary the statements of its permissions boundary; empty if there is none, or none in the templates */
    record Identity(Resource resource, String arn, List<Statement> statements, Optional<List<Statement>> boundary) {
        String name() {
            return arn.substring(arn.lastIndexOf('/') + 1);
        }

        String accountId() {
            return resource.account().id();
        }
    }

    /**
     * A policy that names principals.
     *
     * @param resources    the ARNs it is attached to; empty if the templates do not determine them
     * @param trust        the ARN of the role, if this is a trust policy
     * @param blocksPublic whether S3 refuses a policy that admits everyone
     */
    record ResourcePolicy(Resource holder, List<String> resources, Optional<String> trust, boolean blocksPublic,
            List<Statement> statements) {
        /** Returns the rights of a statement, limited to the resources that the policy is attached to. */
        List<Right> rights(Statement statement) {
            if (resources.isEmpty()) return statement.rights();
            var rights = new ArrayList<Right>();
            for (Right right : statement.rights()) {
                for (String resource : resources) rights.addAll(narrowedTo(right, resource));
            }
            return rights;
        }

        private List<Right> narrowedTo(Right right, String resource) {
            if (trust.isPresent()) return List.of(new Right(right.action(), right.exceptActions(), new Glob(resource), List.of()));
            var parts = Stream.of("", "/*", ":*").map(end -> new Glob(resource + end)).toList();
            if (right.resource().isLiteral() || !right.resource().covers(parts.get(0)))
                return parts.stream().anyMatch(right.resource()::overlaps) ? List.of(right) : List.of();
            // a bucket policy also applies to the objects
            return parts.stream().limit(resource.startsWith("arn:aws:s3:::") ? 2 : 1).filter(right.resource()::covers)
                    .map(part -> new Right(right.action(), right.exceptActions(), part, right.exceptResources())).toList();
        }
    }

    private static final Set<String> OF_IDENTITIES = Set.of("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy",
            "AWS::IAM::UserPolicy", "AWS::IAM::GroupPolicy", "AWS::IAM::Group",
            // these only restrict
            "AWS::EC2::VPCEndpoint", "AWS::Organizations::Policy");

    /** Types that admit others through their own properties. */
    static final Set<String> AS_POLICY = Set.of("AWS::Lambda::Permission", "AWS::Lambda::LayerVersionPermission",
            "AWS::Events::EventBusPolicy", "AWS::EC2::VPCEndpointServicePermissions", "AWS::RAM::ResourceShare");

    private final Templates templates;
    private final List<Identity> identities = new ArrayList<>();
    private final List<ResourcePolicy> resourcePolicies = new ArrayList<>();

    Policies(Templates templates) {
        this.templates = templates;
        for (Resource resource : templates.resources()) {
            if (resource.type().equals("AWS::IAM::Role") || resource.type().equals("AWS::IAM::User")) identities.add(identity(resource));
            if (!OF_IDENTITIES.contains(resource.type()))
                resource.properties().properties().forEach(property -> collect(resource, property.getKey(), property.getValue()));
            asPolicy(resource).ifPresent(document -> add(resource, "", document));
        }
    }

    List<Identity> identities() {
        return identities;
    }

    List<ResourcePolicy> resourcePolicies() {
        return resourcePolicies;
    }

    int statementCount() {
        return Stream.concat(identities.stream().flatMap(identity -> identity.statements().stream()),
                resourcePolicies.stream().flatMap(policy -> policy.statements().stream())).toList().size();
    }

    // ---- identities

    private Identity identity(Resource resource) {
        String arn = resource.arn(), reference = resource.reference();
        String key = resource.type().equals("AWS::IAM::Role") ? "Roles" : "Users";
        var statements = new ArrayList<Statement>();
        for (int i = 0; i < resource.property("Policies").size(); i++) {
            statements.addAll(Statement.of(source(resource, "Policies[%d]".formatted(i)),
                    resource.property("Policies").get(i).path("PolicyDocument")));
        }
        templates.resources().stream().filter(other -> OF_IDENTITIES.contains(other.type()) && other.account().equals(resource.account()))
                .filter(other -> Statement.strings(other.property(key)).contains(reference) || other.text("RoleName").equals(reference)
                        || other.text("UserName").equals(reference)
                        || other.type().equals("AWS::IAM::ManagedPolicy")
                                && Statement.strings(resource.property("ManagedPolicyArns")).contains(other.reference()))
                .forEach(other -> statements.addAll(Statement.of(source(other, "PolicyDocument"), other.property("PolicyDocument"))));
        var managed = Statement.strings(resource.property("ManagedPolicyArns"));
        for (int i = 0; i < managed.size(); i++) {
            // no template contains its statements
            if (templates.named(managed.get(i)).isEmpty()) statements.addAll(Statement.of(
                    source(resource, "ManagedPolicyArns[%d] (%s, which counts as all rights)".formatted(i, managed.get(i))), anything()));
        }
        if (!Statement.strings(resource.property("Groups")).isEmpty())
            statements.addAll(Statement.of(source(resource, "Groups"), anything()));
        return new Identity(resource, arn, statements, Optional.of(resource.text("PermissionsBoundary")).flatMap(templates::named)
                .map(boundary -> Statement.of(source(boundary, "PolicyDocument"), boundary.property("PolicyDocument"))));
    }

    private static JsonNode anything() {
        return Assembly.JSON.readTree("{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}");
    }

    // ---- resources

    /** Collects everything that looks like a policy, at any depth and also inside strings, so that new resource types need no code. */
    private void collect(Resource resource, String path, JsonNode value) {
        if (resource.type().equals("AWS::IAM::Role") && path.startsWith("Policies") || resource.type().equals("AWS::IAM::User")) return;
        if (isPolicy(value)) add(resource, path, value);
        else if (value.isObject())
            value.properties().forEach(property -> collect(resource, path + "." + property.getKey(), property.getValue()));
        else if (value.isArray()) for (int i = 0; i < value.size(); i++) collect(resource, path + "[" + i + "]", value.get(i));
        else if (value.isString() && value.asString().stripLeading().startsWith("{") && value.asString().contains("\"Statement\"")) {
            try {
                var parsed = Assembly.JSON.readTree(value.asString());
                if (isPolicy(parsed)) add(resource, path, parsed);
            } catch (JacksonException e) {
                throw new IllegalArgumentException(
                        "%s: %s looks like a policy but is not JSON: %s".formatted(resource.id(), path, e.getOriginalMessage()), e);
            }
        }
    }

    private static boolean isPolicy(JsonNode value) {
        return value.isObject() && Evaluator.elements(value.path("Statement")).stream().anyMatch(statement -> statement.has("Effect"));
    }

    private void add(Resource resource, String path, JsonNode document) {
        boolean trust = path.startsWith("AssumeRolePolicyDocument");
        var attached = switch (resource.type()) {
            case "AWS::S3::BucketPolicy" -> List.of("arn:aws:s3:::" + resource.text("Bucket"));
            case "AWS::SQS::QueuePolicy" -> Statement.strings(resource.property("Queues")).stream().map(this::arnOf).toList();
            case "AWS::SQS::QueueInlinePolicy" -> List.of(arnOf(resource.text("Queue")));
            case "AWS::SNS::TopicPolicy" -> Statement.strings(resource.property("Topics"));
            case "AWS::SNS::TopicInlinePolicy" -> List.of(resource.text("TopicArn"));
            case "AWS::SecretsManager::ResourcePolicy" -> List.of(arnOf(resource.text("SecretId")));
            case "AWS::KMS::Key", "AWS::IAM::Role", "AWS::ECR::Repository", "AWS::DynamoDB::Table" -> List.of(resource.arn());
            default -> List.<String>of();
        };
        boolean known = attached.stream().noneMatch(arn -> arn.contains(Glob.UNKNOWN) || arn.isEmpty());
        resourcePolicies
                .add(new ResourcePolicy(resource, known ? attached : List.of(), trust ? Optional.of(resource.arn()) : Optional.empty(),
                        resource.type().equals("AWS::S3::BucketPolicy")
                                && templates.named(resource.text("Bucket")).filter(Policies::blocksPublic).isPresent(),
                        Statement.of(source(resource, path), document)));
    }

    private static boolean blocksPublic(Resource bucket) {
        var block = bucket.property("PublicAccessBlockConfiguration");
        return block.path("BlockPublicPolicy").asBoolean(false);
    }

    /** @param reference the URL of a queue, or the ARN of a secret */
    private String arnOf(String reference) {
        return templates.named(reference).map(Resource::arn).orElse(reference.startsWith("arn:") ? reference : Glob.UNKNOWN);
    }

    /** Returns the policy that is equivalent to a resource that admits others without a policy document. */
    private Optional<JsonNode> asPolicy(Resource resource) {
        var conditions = Assembly.JSON.createObjectNode();
        return switch (resource.type()) {
            case "AWS::Lambda::Permission" -> {
                equal(conditions, "aws:SourceAccount", resource.text("SourceAccount"));
                equal(conditions, "aws:PrincipalOrgID", resource.text("PrincipalOrgID"));
                equal(conditions, "lambda:FunctionUrlAuthType", resource.text("FunctionUrlAuthType"));
                if (resource.properties().has("SourceArn"))
                    conditions.putObject("ArnLike").put("aws:SourceArn", resource.text("SourceArn"));
                String function = resource.text("FunctionName");
                yield allow(resource.property("Principal"), resource.text("Action"), function.startsWith("arn:") ? function
                        : "arn:aws:lambda:%s:%s:function:%s".formatted(templates.landscape().regionOf(resource.account()),
                                resource.account().id(), function),
                        conditions);
            }
            case "AWS::Lambda::LayerVersionPermission" ->
                    allow(resource.property("Principal"), "lambda:GetLayerVersion", resource.text("LayerVersionArn"), conditions);
            case "AWS::Events::EventBusPolicy" -> resource.properties().has("Statement") ? statement(resource.property("Statement"))
                    : allow(resource.property("Principal"), resource.text("Action"), "*", conditions);
            case "AWS::EC2::VPCEndpointServicePermissions" -> allow(resource.property("AllowedPrincipals"), "ec2:CreateVpcEndpoint",
                    "the endpoint service " + resource.text("ServiceId"), conditions);
            case "AWS::RAM::ResourceShare" -> allow(resource.property("Principals"), "ram:AcceptResourceShareInvitation",
                    String.join(", ", Statement.strings(resource.property("ResourceArns"))), conditions);
            default -> Optional.empty();
        };
    }

    private static Optional<JsonNode> statement(JsonNode statement) {
        var document = Assembly.JSON.createObjectNode();
        document.putArray("Statement").add(statement);
        return Optional.of(document);
    }

    private static void equal(ObjectNode conditions, String key, String value) {
        if (value.isEmpty()) return;
        conditions.withObject("StringEquals").put(key, value);
    }

    private static Optional<JsonNode> allow(JsonNode principals, String action, String resource, JsonNode conditions) {
        var document = Assembly.JSON.createObjectNode();
        var statement = document.putArray("Statement").addObject().put("Effect", "Allow").put("Action", action).put("Resource", resource);
        var byKind = statement.putObject("Principal");
        Map.of("Service", true, "AWS", false).forEach((kind, service) -> {
            var list = byKind.putArray(kind);
            Statement.strings(principals).stream().filter(principal -> principal.endsWith(".amazonaws.com") == service)
                    // the accounts of an organization are unknown
                    .map(principal -> principal.contains(":organizations:") ? "*" : principal).forEach(list::add);
        });
        statement.set("Condition", conditions);
        return Optional.of(document);
    }

    private static Source source(Resource resource, String what) {
        return new Source(resource.account().name(), resource.stack(), resource.logicalId(),
                what.isEmpty() ? resource.type().replaceAll(".*::", "") : what, 0);
    }
}
