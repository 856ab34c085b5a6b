package lockstep.preflight;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import lockstep.assembly.Assembly.Stack;
import lockstep.assembly.Evaluator;
import lockstep.landscape.Account;

/** Whether the account already has something with a name that the templates give, which no stack of the landscape has created. */
record TakenNames(Account account, Kind kind, List<Resource> resources) implements Check {
    /** What can outlive its stack, or be somebody else's. */
    enum Kind {
        LOG_GROUP("log groups", "AWS::Logs::LogGroup", "LogGroupName",
                "keep what it holds elsewhere, then: aws logs delete-log-group --log-group-name") {
            @Override
            boolean exists(AccountReader reader, String name) {
                return reader.json("logs", "Logs_20140328", "DescribeLogGroups", Map.of("logGroupNamePrefix", name)).path("logGroups")
                        .valueStream().anyMatch(group -> group.path("logGroupName").asString("").equals(name));
            }
        },
        BUCKET("buckets", "AWS::S3::Bucket", "BucketName", "keep what it holds elsewhere, then: aws s3 rb --force s3://") {
            @Override
            boolean exists(AccountReader reader, String name) {
                return reader.bucketExists(name);
            }
        },
        ROLE("roles", "AWS::IAM::Role", "RoleName", "find out whose it is; then: aws iam delete-role --role-name") {
            @Override
            boolean exists(AccountReader reader, String name) {
                return AccountReader.exists(() -> reader.query("iam", "GetRole", Map.of("RoleName", name)), "NoSuchEntity");
            }
        },
        /** A secret keeps its name while it waits for its deletion. */
        SECRET("secrets", "AWS::SecretsManager::Secret", "Name",
                "if nobody needs it: aws secretsmanager delete-secret --force-delete-without-recovery --secret-id") {
            @Override
            boolean exists(AccountReader reader, String name) {
                return AccountReader.exists(
                        () -> reader.json("secretsmanager", "secretsmanager", "DescribeSecret", Map.of("SecretId", name)),
                        "ResourceNotFound");
            }
        },
        ISSUER("identity providers", "AWS::IAM::OIDCProvider", "Url",
                "import it with cdk import, or: aws iam delete-open-id-connect-provider --open-id-connect-provider-arn") {
            @Override
            boolean exists(AccountReader reader, String url) {
                String address = url.replaceFirst("^https://", "");
                return AccountReader.texts(reader.query("iam", "ListOpenIDConnectProviders", Map.of()), "Arn").stream()
                        .anyMatch(arn -> arn.endsWith(":oidc-provider/" + address));
            }
        };

        private final String plural;
        private final String type;
        private final String property;
        private final String remedy;

        Kind(String plural, String type, String property, String remedy) {
            this.plural = plural;
            this.type = type;
            this.property = property;
            this.remedy = remedy;
        }

        abstract boolean exists(AccountReader reader, String name);
    }

    /** A resource to which a template gives a name. */
    private record Resource(String stack, String logicalId, String name) {}

    /** Returns a check for each kind of name that the templates give. */
    static List<TakenNames> of(Account account, List<Stack> stacks) {
        var evaluator = new Evaluator(stacks);
        return Arrays.stream(Kind.values()).map(kind -> {
            var resources = new ArrayList<Resource>();
            for (Stack stack : stacks)
                stack.resources(kind.type).forEach((id, resource) -> {
                    var name = resource.path("Properties").path(kind.property);
                    if (!name.isMissingNode()) resources.add(new Resource(stack.name(), id, evaluator.textOf(stack, name)));
                });
            return new TakenNames(account, kind, resources);
        }).filter(check -> !check.resources().isEmpty()).toList();
    }

    @Override
    public String name() {
        return "names of " + kind.plural;
    }

    @Override
    public Result of(AccountReader reader) {
        var taken = resources.stream().filter(r -> !reader.isOurs(r.stack(), r.logicalId()) && kind.exists(reader, r.name()))
                .map(Resource::name).toList();
        String needed = resources.size() + " that are free or ours";
        return taken.isEmpty() ? Result.ok("all", needed)
                : Result.wrong("taken: " + String.join(", ", taken), needed, taken.stream()
                        .map(name -> kind.remedy + (kind == Kind.BUCKET ? "" : " ") + name + " --profile " + account.name())
                        .collect(Collectors.joining("; ")));
    }
}
