package lockstep.infra;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.Size;
import software.amazon.awscdk.services.ecs.AwsLogDriverMode;
import software.amazon.awscdk.services.ecs.AwsLogDriverProps;
import software.amazon.awscdk.services.ecs.Capability;
import software.amazon.awscdk.services.ecs.ContainerDefinition;
import software.amazon.awscdk.services.ecs.ContainerDefinitionOptions;
import software.amazon.awscdk.services.ecs.ContainerImage;
import software.amazon.awscdk.services.ecs.CpuArchitecture;
import software.amazon.awscdk.services.ecs.FargateTaskDefinition;
import software.amazon.awscdk.services.ecs.FargateTaskDefinitionProps;
import software.amazon.awscdk.services.ecs.HealthCheck;
import software.amazon.awscdk.services.ecs.LinuxParameters;
import software.amazon.awscdk.services.ecs.LogDriver;
import software.amazon.awscdk.services.ecs.MountPoint;
import software.amazon.awscdk.services.ecs.OperatingSystemFamily;
import software.amazon.awscdk.services.ecs.RuntimePlatform;
import software.amazon.awscdk.services.ecs.Secret;
import software.amazon.awscdk.services.ecs.Volume;
import software.amazon.awscdk.services.iam.IRole;
import software.amazon.awscdk.services.logs.LogGroup;
import software.amazon.awscdk.services.secretsmanager.ISecret;
import software.constructs.Construct;

/** A Fargate task with locked-down containers: no privileges, no capabilities, and no writable files outside their volumes. */
final class Task extends FargateTaskDefinition {
    /** The user that the images create, and that owns their volumes. */
    private static final String USER = "10001:10001";

    /** A directory that the containers of a task share. It is empty when the task starts. */
    record Directory(String volume, String path, boolean readOnly) {
        Directory asReader() {
            return new Directory(volume, path, true);
        }
    }

    /**
     * @param command the arguments of the image's entry point, or the command if it has none; if empty, the image's default
     * @param secrets environment variables that ECS sets from these secrets
     * @param health  the health check command in ECS's form
     * @param essential whether the task ends with the container
     * @param stop    how long the container may take to exit after SIGTERM
     */
    record Container(String name, ContainerImage image, List<String> command, Map<String, String> environment, Map<String, ISecret> secrets,
            Optional<List<String>> health, boolean essential, Duration stop, List<Directory> directories) {
        /** A container that runs as long as its task if it has a health check, and otherwise to completion. */
        Container(String name, ContainerImage image, List<String> command, Map<String, String> environment, Map<String, ISecret> secrets,
                Optional<List<String>> health, Duration stop, List<Directory> directories) {
            this(name, image, command, environment, secrets, health, health.isPresent(), stop, directories);
        }
    }

    private final LogGroup logs;

    /** @param cpu CPU units; 1024 units are one CPU */
    Task(Construct scope, NetworkStack network, int cpu, List<Directory> directories) {
        this(scope, network, cpu, directories, null);
    }

    /** @param role the task's role; if null, it gets its own */
    Task(Construct scope, NetworkStack network, int cpu, List<Directory> directories, IRole role) {
        super(scope, "Task", FargateTaskDefinitionProps.builder()
                .taskRole(role)
                .cpu(cpu).memoryLimitMiB(2 * cpu)
                .runtimePlatform(RuntimePlatform.builder().cpuArchitecture(CpuArchitecture.X86_64)
                        .operatingSystemFamily(OperatingSystemFamily.LINUX).build())
                .volumes(directories.stream().map(directory -> Volume.builder().name(directory.volume()).build()).toList())
                .build());
        logs = network.logGroup(scope, "Logs", null);
        logs.grantWrite(obtainExecutionRole());
        Accepted.finding(this, "AwsSolutions-ECS2",
                "The environment holds no secrets: they are referred to by ARN, and resolved when a container starts");
        Accepted.finding(obtainExecutionRole(), "AwsSolutions-IAM5",
                "GetAuthorizationToken names no repository; pulling is allowed from one repository", "Resource::*");
    }

    ContainerDefinition add(Container container) {
        var secrets = new TreeMap<String, Secret>();
        container.secrets().forEach((variable, secret) -> secrets.put(variable, Secret.fromSecretsManager(secret)));
        var definition = addContainer(container.name(), ContainerDefinitionOptions.builder()
                .containerName(container.name())
                .image(container.image())
                .command(container.command().isEmpty() ? null : container.command())
                .environment(new TreeMap<>(container.environment()))
                .secrets(secrets)
                .essential(container.essential())
                .healthCheck(container.health().map(Task::healthCheck).orElse(null))
                .stopTimeout(container.stop())
                .user(USER)
                .readonlyRootFilesystem(true)
                .privileged(false)
                .linuxParameters(parameters(container.name()))
                // a log outage must not block the product
                .logging(LogDriver.awsLogs(AwsLogDriverProps.builder()
                        .logGroup(logs).streamPrefix(container.name()).mode(AwsLogDriverMode.NON_BLOCKING).maxBufferSize(Size.mebibytes(4))
                        .build()))
                .build());
        container.directories().forEach(directory -> definition.addMountPoints(MountPoint.builder()
                .sourceVolume(directory.volume()).containerPath(directory.path()).readOnly(directory.readOnly()).build()));
        return definition;
    }

    LogGroup logs() {
        return logs;
    }

    private LinuxParameters parameters(String name) {
        var parameters = new LinuxParameters(this, name + "Parameters");
        parameters.dropCapabilities(Capability.ALL);
        return parameters;
    }

    /** Checks often, because containers wait for each other's first success. */
    private static HealthCheck healthCheck(List<String> command) {
        return HealthCheck.builder().command(command)
                .interval(Duration.seconds(5)).timeout(Duration.seconds(5)).retries(5).startPeriod(Duration.seconds(60)).build();
    }
}
