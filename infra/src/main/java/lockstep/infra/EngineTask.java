package lockstep.infra;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.zip.GZIPOutputStream;
import lockstep.landscape.DataSet;
import lockstep.landscape.Names;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.services.ec2.SubnetSelection;
import software.amazon.awscdk.services.ec2.SubnetType;
import software.amazon.awscdk.services.ecr.assets.DockerImageAsset;
import software.amazon.awscdk.services.ecr.assets.Platform;
import software.amazon.awscdk.services.ecs.CfnTaskDefinition;
import software.amazon.awscdk.services.ecs.ContainerDefinition;
import software.amazon.awscdk.services.ecs.ContainerImage;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.amazon.awscdk.services.iam.Role;
import software.amazon.awscdk.services.stepfunctions.CustomState;
import software.amazon.awscdk.services.stepfunctions.FieldUtils;
import software.constructs.Construct;
import tools.jackson.databind.json.JsonMapper;

/**
 * The engine as a task of ECS, for the steps that are too long for a function. It has the function's role, and reads its event from its
 * environment, where ECS takes 8 KiB; so it knows the data sets by itself.
 */
final class EngineTask extends Construct {
    /** One CPU, as a function has. */
    private static final int CPU = 1024;
    /** The engine takes no longer either. */
    static final Duration LONGEST = Duration.hours(24);
    /** The engine sends a heartbeat every 30 seconds. The first one has to wait for the task to start. */
    private static final Duration HEARTBEAT = Duration.minutes(5);
    private static final Task.Directory TEMPORARY = new Task.Directory("temporary", "/tmp", false);

    private final NetworkStack network;
    private final Task task;
    private final String family;
    private final ContainerDefinition container;

    /** @param role the function's role, from {@link HandlerFunction#engineRole} */
    EngineTask(Construct scope, NetworkStack network, Handler handler, Role role, List<DataSet> dataSets) {
        super(scope, "Engine");
        this.network = network;
        task = new Task(this, network, CPU, List.of(TEMPORARY), role);
        // the same in each account, where the generated name has the account's
        family = "lockstep-" + handler.className.replaceAll("(?<=[a-z])(?=[A-Z])", "-").toLowerCase(Locale.ROOT);
        ((CfnTaskDefinition) task.getNode().getDefaultChild()).setFamily(family);
        var image = ContainerImage.fromDockerImageAsset(DockerImageAsset.Builder.create(this, "Image")
                .directory(network.props().artefacts().engine().toString()).platform(Platform.LINUX_AMD64).build());
        container = task.add(new Task.Container("engine", image, List.of(handler.className),
                Map.of("AWS_REGION", network.getRegion(), "DATA_SETS", zipped(dataSets)), Map.of(), Optional.empty(), true,
                Duration.seconds(30), List.of(TEMPORARY)));
        role.addToPolicy(PolicyStatement.Builder.create()
                .actions(List.of("states:SendTaskSuccess", "states:SendTaskFailure", "states:SendTaskHeartbeat"))
                .resources(List.of("*")).build());
        Accepted.finding(role, "AwsSolutions-IAM5", "Task callbacks have no resource in IAM; each needs the task's token", "Resource::*");
    }

    /** Returns the environment that a run of a step needs, apart from its event. */
    private static String zipped(List<DataSet> dataSets) {
        var definitions = new TreeMap<String, Object>();
        dataSets.forEach(dataSet -> definitions.put(dataSet.name(), Workflow.constant(dataSet)));
        var bytes = new ByteArrayOutputStream();
        try (var zip = new GZIPOutputStream(bytes)) {
            zip.write(JsonMapper.shared().writeValueAsString(definitions).getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Base64.getEncoder().encodeToString(bytes.toByteArray());
    }

    /**
     * A state that runs a step as a task and waits for its answer. It is written out, because the CDK's state also allows the machine to
     * stop any task.
     *
     * @param event  its event: {@code SYNC} without definitions, and {@code SHARD} in a restore, with their paths
     * @param result the selector that replaces the result; null to keep the whole result
     */
    CustomState step(Construct scope, String step, Map<String, String> event, Map<String, Object> result, String resultPath) {
        var environment = new ArrayList<Map<String, String>>();
        environment.add(Map.of("Name", "STEP", "Value", step));
        environment.add(Map.of("Name", "TASK_TOKEN", "Value.$", "$$.Task.Token"));
        new TreeMap<>(event).forEach((name, path) -> environment.add(
                Workflow.sorted(Map.of("Name", name, "Value.$", "States.JsonToString(" + path + ")"))));
        var subnets = network.vpc().selectSubnets(SubnetSelection.builder().subnetType(SubnetType.PRIVATE_ISOLATED).build()).getSubnetIds();
        var state = new TreeMap<String, Object>(Map.of(
                "Type", "Task",
                "Resource", "arn:%s:states:::ecs:runTask.waitForTaskToken".formatted(Names.partition(network.getRegion())),
                "Parameters", Workflow.sorted(Map.of(
                        "Cluster", network.cluster().getClusterArn(),
                        "TaskDefinition", task.getTaskDefinitionArn(),
                        "LaunchType", "FARGATE",
                        "NetworkConfiguration", Map.of("AwsvpcConfiguration", Workflow.sorted(Map.of("Subnets", subnets, "SecurityGroups",
                                List.of(network.databaseClients().getSecurityGroupId()), "AssignPublicIp", "DISABLED"))),
                        "Overrides", Map.of("ContainerOverrides", List.of(Workflow.sorted(Map.of(
                                "Name", container.getContainerName(), "Environment",
                                environment.stream().map(Workflow::sorted).toList())))))),
                "TimeoutSeconds", LONGEST.toSeconds(),
                "HeartbeatSeconds", HEARTBEAT.toSeconds()));
        state.put("ResultPath", resultPath);
        if (result != null) state.put("ResultSelector", FieldUtils.renderObject(result));
        return CustomState.Builder.create(scope, step + "InTask").stateJson(state).build().addRetry(Workflow.retry(Workflow.NO_TASK));
    }

    /** Allows a state machine to run the task, in any revision, because an execution goes on with the one that its definition names. */
    void grantRun(Workflow machine) {
        machine.addToRolePolicy(PolicyStatement.Builder.create().actions(List.of("ecs:RunTask"))
                .resources(List.of(
                        Names.arn("ecs", network.getRegion(), network.getAccount(), "task-definition/" + family + ":*")))
                .conditions(Map.of("ArnEquals", Map.of("ecs:cluster", network.cluster().getClusterArn()))).build());
        machine.addToRolePolicy(PolicyStatement.Builder.create().actions(List.of("iam:PassRole"))
                .resources(List.of(task.getTaskRole().getRoleArn(), task.obtainExecutionRole().getRoleArn()))
                .conditions(Map.of("StringEquals", Map.of("iam:PassedToService", "ecs-tasks.amazonaws.com"))).build());
        Accepted.finding(machine, "AwsSolutions-IAM5", "Any revision of the engine's task",
                "/^Resource::arn:aws[a-z-]*:ecs:.*:task-definition\\/.*:\\*$/");
    }
}
