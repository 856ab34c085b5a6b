package lockstep.infra;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import lockstep.landscape.Proxy;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.services.ecr.assets.DockerImageAsset;
import software.amazon.awscdk.services.ecr.assets.Platform;
import software.amazon.awscdk.services.ecs.ContainerDefinition;
import software.amazon.awscdk.services.ecs.ContainerDependency;
import software.amazon.awscdk.services.ecs.ContainerDependencyCondition;
import software.amazon.awscdk.services.ecs.ContainerImage;
import software.amazon.awscdk.services.ecs.PortMapping;
import software.constructs.Construct;

/**
 * A task of nginx, the gateway behind it, and the settings container beside both. They start in the order settings, gateway, nginx, and
 * stop in reverse, so that nginx finishes its requests while the gateway still serves them.
 */
final class ProxyTask extends Construct {
    static final int PORT = 8443;
    static final int HEALTH_PORT = 8080;
    static final String HEALTH_PATH = "/healthz";

    private static final Duration NGINX_DRAIN_TIMEOUT = Duration.seconds(30);
    private static final Duration GATEWAY_DRAIN_DELAY = Duration.seconds(5);
    private static final Duration GATEWAY_DRAIN_TIMEOUT = Duration.seconds(20);
    private static final Task.Directory SETTINGS = new Task.Directory("settings", "/run/settings", false);
    private static final Task.Directory SOCKET = new Task.Directory("gateway", "/run/gateway", false);
    private static final Task.Directory TEMPORARY = new Task.Directory("temporary", "/tmp", false);
    private static final String GATEWAY_SOCKET = SOCKET.path() + "/gateway.sock";

    private final NetworkStack network;
    private final Proxy proxy;
    private final Task task;

    /**
     * @param settingsEnvironment environment variables of the settings container that only this edition has
     * @param nginxEnvironment    environment variables of nginx that only this edition has
     */
    ProxyTask(Construct scope, NetworkStack network, Proxy proxy, ProxySettings settings, Map<String, String> settingsEnvironment,
            Map<String, String> nginxEnvironment) {
        super(scope, "Proxy");
        this.network = network;
        this.proxy = proxy;
        task = new Task(this, network, Capacity.of(proxy.edition()).proxy(), List.of(SETTINGS, SOCKET, TEMPORARY));
        settings.grantRead(task.getTaskRole());
        var gatewayImage = ContainerImage.fromDockerImageAsset(DockerImageAsset.Builder.create(this, "GatewayImage")
                .directory(network.props().artefacts().gateway().toString()).platform(Platform.LINUX_AMD64).build());
        var settingsContainer = task
                .add(new Task.Container("settings", gatewayImage, List.of("./settings"), settings(settings, settingsEnvironment), Map.of(),
                        Optional.of(List.of("CMD", "./settings", "--health")), Duration.seconds(10), List.of(SETTINGS)));
        var gateway = task.add(new Task.Container("gateway", gatewayImage, List.of("./gateway"), gateway(), Map.of(),
                Optional.of(List.of("CMD", "./gateway", "--health")), Duration.seconds(30), List.of(SETTINGS.asReader(), SOCKET)));
        var nginx = task.add(new Task.Container("nginx", nginxImage(), List.of(), nginx(nginxEnvironment), Map.of(),
                Optional.of(List.of("CMD-SHELL", "curl -fsS http://127.0.0.1:$HEALTH_PORT" + HEALTH_PATH + " >/dev/null")),
                Duration.seconds(60),
                List.of(SETTINGS.asReader(), SOCKET.asReader(), TEMPORARY)));
        gateway.addContainerDependencies(healthy(settingsContainer));
        nginx.addContainerDependencies(healthy(settingsContainer), healthy(gateway));
        nginx.addPortMappings(PortMapping.builder().containerPort(PORT).build(), PortMapping.builder().containerPort(HEALTH_PORT).build());
    }

    Task task() {
        return task;
    }

    private ContainerImage nginxImage() {
        return ContainerImage.fromDockerImageAsset(DockerImageAsset.Builder.create(this, "NginxImage")
                .directory(network.props().artefacts().nginx().toString())
                .target(proxy.edition().word()).platform(Platform.LINUX_AMD64).build());
    }

    private Map<String, String> settings(ProxySettings settings, Map<String, String> more) {
        var environment = new TreeMap<>(settings.environment());
        environment.put("AWS_REGION", network.getRegion());
        environment.put("SETTINGS_DIRECTORY", SETTINGS.path());
        environment.putAll(more);
        return environment;
    }

    private Map<String, String> gateway() {
        var environment = new TreeMap<>(Map.of(
                "EDITION", proxy.edition().word(),
                "GATEWAY_ROUTES", SETTINGS.path() + "/routes.json",
                "GATEWAY_LISTEN", "unix:" + GATEWAY_SOCKET,
                "GATEWAY_ADMIN", "127.0.0.1:9901",
                "GATEWAY_SIGN_UP", proxy.signUp() ? "open" : "closed",
                "GATEWAY_DRAIN_DELAY", GATEWAY_DRAIN_DELAY.toSeconds() + "s",
                "GATEWAY_DRAIN_TIMEOUT", GATEWAY_DRAIN_TIMEOUT.toSeconds() + "s"));
        proxy.banner().ifPresent(banner -> environment.put("GATEWAY_BANNER", banner));
        proxy.rateLimit().ifPresent(limit -> environment.put("GATEWAY_RATE_LIMIT", String.valueOf(limit)));
        return environment;
    }

    private Map<String, String> nginx(Map<String, String> more) {
        var environment = new TreeMap<>(Map.of(
                "DRAIN_TIMEOUT", String.valueOf(NGINX_DRAIN_TIMEOUT.toSeconds()),
                "HOST", proxy.host(),
                "LISTEN_ADDRESS", "0.0.0.0",
                "PORT", String.valueOf(PORT),
                "HEALTH_PORT", String.valueOf(HEALTH_PORT),
                "SETTINGS_DIRECTORY", SETTINGS.path(),
                "GATEWAY_SOCKET", GATEWAY_SOCKET,
                "TEMPORARY_DIRECTORY", TEMPORARY.path() + "/nginx"));
        environment.putAll(more);
        return environment;
    }

    private static ContainerDependency healthy(ContainerDefinition container) {
        return ContainerDependency.builder().container(container).condition(ContainerDependencyCondition.HEALTHY).build();
    }
}
