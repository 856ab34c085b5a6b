package lockstep.localcloud;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.ToIntFunction;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;

/**
 * The environment of a container on this machine. {@link #CHANGES} and the paths of volumes are its only differences from the deployed
 * environment. The application is unaware of them.
 *
 * @param ports       returns the port for a variable of this container
 * @param volumes     the local directory by path in the container
 * @param credentials the credentials of the task role
 */
record LocalEnvironment(ToIntFunction<String> ports, Map<String, Path> volumes, String endpoint, Path authority,
        AwsSessionCredentials credentials, Path nginx) {

    /** A difference and its reason. */
    sealed interface Change {
        String variable();

        String reason();
    }

    /** Replaces the value of a variable that the deployed environment has. */
    record Replace(String variable, String reason, Value value) implements Change {}

    /** Adds a variable that only this machine needs, in containers that have the variable {@code beside}, or in all if that is empty. */
    record Add(String variable, String beside, String reason, Value value) implements Change {}

    @FunctionalInterface
    interface Value {
        /** @param deployed the deployed value; empty if there is none */
        String of(LocalEnvironment here, String deployed);
    }

    private static final String ONE_ADDRESS = "each deployed task has its own address, here all share one";
    private static final String EMULATOR = "the accounts are emulated on this machine";
    private static final String CREDENTIALS = "ECS provides the task role's credentials at a link-local address";

    static final List<Change> CHANGES = List.of(
            new Replace("LISTEN_ADDRESS", "other machines must not connect", (here, deployed) -> "127.0.0.1"),
            new Replace("PORT", ONE_ADDRESS, (here, deployed) -> String.valueOf(here.ports.applyAsInt("PORT"))),
            new Replace("HEALTH_PORT", ONE_ADDRESS, (here, deployed) -> String.valueOf(here.ports.applyAsInt("HEALTH_PORT"))),
            new Replace("GATEWAY_ADMIN", ONE_ADDRESS, (here, deployed) -> "127.0.0.1:" + here.ports.applyAsInt("GATEWAY_ADMIN")),
            new Replace("DRAIN_DELAY", "no name server or balancer here sends requests to a stopping task",
                    (here, deployed) -> deployed.startsWith("PT") ? "PT0S" : "0"),
            new Add("PATH", "", "a container has its own programs, here they are this machine's", (here, deployed) -> path()),
            new Add("NGINX", "TEMPORARY_DIRECTORY", "a container has its own programs, here they are this machine's",
                    (here, deployed) -> here.nginx.toString()),
            new Add("SETTINGS_SECRET_POLL", "CERTIFICATE_SECRET_ARN",
                    "reads cost nothing here, and the host of a new shard is opened at once",
                    (here, deployed) -> "5s"),
            new Add("AWS_ENDPOINT_URL", "AWS_REGION", EMULATOR, (here, deployed) -> here.endpoint),
            new Add("AWS_CA_BUNDLE", "AWS_REGION", EMULATOR, (here, deployed) -> here.authority.toString()),
            // Java does not read AWS_CA_BUNDLE; the product of the demo edition is the only Java container that calls AWS
            new Add("JAVA_TOOL_OPTIONS", "INQUIRY_TOPIC_ARN", EMULATOR,
                    (here, deployed) -> "-Djavax.net.ssl.trustStore=" + here.authority.resolveSibling("authority.p12")),
            new Replace("DATABASE_SSL_ROOT", "the local authority signed the databases' certificates",
                    (here, deployed) -> here.authority.toString()),
            new Add("AWS_ACCESS_KEY_ID", "AWS_REGION", CREDENTIALS, (here, deployed) -> here.credentials.accessKeyId()),
            new Add("AWS_SECRET_ACCESS_KEY", "AWS_REGION", CREDENTIALS, (here, deployed) -> here.credentials.secretAccessKey()),
            new Add("AWS_SESSION_TOKEN", "AWS_REGION", CREDENTIALS, (here, deployed) -> here.credentials.sessionToken()));

    /** Applies the changes, and replaces paths in volumes with paths in the local directories. */
    Map<String, String> of(Map<String, String> deployed) {
        var local = new TreeMap<String, String>();
        deployed.forEach((name, value) -> local.put(name, inVolume(value)));
        for (Change change : CHANGES) {
            switch (change) {
                case Replace replace when deployed.containsKey(replace.variable()) ->
                        local.put(replace.variable(), replace.value().of(this, deployed.get(replace.variable())));
                case Add add when add.beside().isEmpty() || deployed.containsKey(add.beside()) ->
                        local.put(add.variable(), add.value().of(this, ""));
                case Replace absent -> {}
                case Add absent -> {}
            }
        }
        return local;
    }

    /** Replaces a volume path such as {@code /run/settings/routes.json} or {@code unix:/run/gateway/gateway.sock} with the local path. */
    private String inVolume(String value) {
        for (var volume : volumes.entrySet()) {
            for (String prefix : List.of("", "unix:")) {
                String path = prefix + volume.getKey();
                if (value.equals(path) || value.startsWith(path + "/")) {
                    return prefix + volume.getValue() + value.substring(path.length());
                }
            }
        }
        return value;
    }

    private static String path() {
        return System.getProperty("java.home") + "/bin:" + Optional.ofNullable(System.getenv("PATH")).orElse("/usr/bin:/bin");
    }
}
