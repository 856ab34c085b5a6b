package lockstep.infra;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import lockstep.landscape.Names;
import software.amazon.awscdk.Annotations;
import software.amazon.awscdk.RemovalPolicy;
import software.amazon.awscdk.services.ec2.SubnetSelection;
import software.amazon.awscdk.services.ec2.SubnetType;
import software.amazon.awscdk.services.iam.CompositePrincipal;
import software.amazon.awscdk.services.iam.IPrincipal;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.amazon.awscdk.services.iam.Role;
import software.amazon.awscdk.services.iam.ServicePrincipal;
import software.amazon.awscdk.services.lambda.Alias;
import software.amazon.awscdk.services.lambda.Architecture;
import software.amazon.awscdk.services.lambda.Code;
import software.amazon.awscdk.services.lambda.Function;
import software.amazon.awscdk.services.lambda.FunctionProps;
import software.amazon.awscdk.services.lambda.IFunction;
import software.amazon.awscdk.services.lambda.LoggingFormat;
import software.amazon.awscdk.services.lambda.Runtime;
import software.amazon.awscdk.services.lambda.SnapStartConf;
import software.amazon.awscdk.services.lambda.VersionOptions;
import software.constructs.Construct;

/** The Lambda function of one handler, with its log group and a role that may only write to it. */
final class HandlerFunction extends Function {
    /**
     * @param name        the function's name; generated if empty
     * @param role        a role from {@link #executionRole} that functions share; if empty, the function gets its own
     * @param environment the handler's environment variables
     */
    record Props(NetworkStack network, Handler handler, Optional<String> name, Optional<Role> role, Map<String, String> environment) {
        Props(NetworkStack network, Handler handler) {
            this(network, handler, Optional.empty(), Optional.empty(), Map.of());
        }

        Props named(String name) {
            return new Props(network, handler, Optional.of(name), role, environment);
        }

        Props as(Role role) {
            return new Props(network, handler, name, Optional.of(role), environment);
        }

        Props with(Map<String, String> environment) {
            return new Props(network, handler, name, role, environment);
        }
    }

    private final IFunction target;

    HandlerFunction(Construct scope, Props props) {
        var handler = props.handler();
        var role = props.role().orElseGet(() -> executionRole(scope, handler.className + "Role", null, handler.opensDatabase));
        var logs = props.network().logGroup(scope, handler.className + "Logs", null);
        logs.grantWrite(role);
        var environment = new TreeMap<>(props.environment());
        environment.put("JAVA_TOOL_OPTIONS", handler.size.javaOptions);
        var function = FunctionProps.builder()
                .functionName(props.name().orElse(null))
                .runtime(Runtime.JAVA_25)
                .architecture(Architecture.X86_64)
                .code(Code.fromAsset(props.network().props().artefacts().functions().toString()))
                .handler(handler.packageName + "." + handler.className + "::handleRequest")
                .memorySize(handler.size.memory)
                .timeout(handler.timeout)
                .environment(environment)
                .role(role)
                .logGroup(logs)
                .loggingFormat(LoggingFormat.JSON)
                // of published versions, which callers invoke by alias or number
                .snapStart(props.name().isEmpty() ? SnapStartConf.ON_PUBLISHED_VERSIONS : null)
                // an execution that has begun goes on with the versions that its definition names
                .currentVersionOptions(VersionOptions.builder().removalPolicy(RemovalPolicy.RETAIN).build());
        if (handler.opensDatabase) {
            function.vpc(props.network().vpc())
                    .vpcSubnets(SubnetSelection.builder().subnetType(SubnetType.PRIVATE_ISOLATED).build())
                    .securityGroups(List.of(props.network().databaseClients()));
        }
        super(scope, handler.className, function.build());
        // the warning asks for a version, and there is one
        Annotations.of(this).acknowledgeWarning("@aws-cdk/aws-lambda:snapStartRequirePublish");
        if (props.name().isPresent()) target = this;
        else target = handler.independentlyVersioned ? alias(props.network().operations()) : getCurrentVersion();
    }

    /**
     * Returns what callers invoke: the alias that shifts to new versions in steps, or this release's version. A function with a name is
     * invoked by it.
     */
    IFunction target() {
        return target;
    }

    private Alias alias(OperationsTopic operations) {
        var alias = Alias.Builder.create(this, "Live").aliasName(Names.LIVE).version(getCurrentVersion()).build();
        ((AccountStack) getStack()).shifting().shift(this, alias, operations);
        return alias;
    }

    /** Creates an execution role. Its name is generated if null. */
    static Role executionRole(Construct scope, String id, String name, boolean inNetwork) {
        return executionRole(scope, id, name, inNetwork, new ServicePrincipal("lambda.amazonaws.com"));
    }

    /** Creates the role of a function and of the task that does its longer steps. */
    static Role engineRole(Construct scope, String id, String name) {
        return executionRole(scope, id, name, true,
                new CompositePrincipal(new ServicePrincipal("lambda.amazonaws.com"), new ServicePrincipal("ecs-tasks.amazonaws.com")));
    }

    private static Role executionRole(Construct scope, String id, String name, boolean inNetwork, IPrincipal service) {
        var role = Role.Builder.create(scope, id).roleName(name).assumedBy(service).build();
        if (inNetwork) {
            role.addToPolicy(PolicyStatement.Builder.create()
                    .actions(List.of("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
                            "ec2:DeleteNetworkInterface",
                            "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"))
                    .resources(List.of("*")).build());
            Accepted.finding(role, "AwsSolutions-IAM5",
                    "Lambda creates a function's network interfaces, whose ids are not known in advance", "Resource::*");
        }
        return role;
    }
}
