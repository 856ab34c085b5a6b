package lockstep.localcloud;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntSupplier;
import java.util.function.ToIntFunction;
import lockstep.accounts.AccountAccess;
import lockstep.accounts.DeployedTask;
import lockstep.accounts.RoutingOverrides.S3Object;
import lockstep.accounts.RoutingOverrides;
import lockstep.landscape.Account;
import lockstep.landscape.Edition;
import lockstep.landscape.Names;
import lockstep.landscape.Shard;
import lockstep.poll.Poll;
import lockstep.project.UserFault;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;
import tools.jackson.databind.json.JsonMapper;

/** Configures a deployed proxy as operators do: its certificate, the client authority, and locally also the addresses of the shards. */
final class LocalProxy {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private final AccountAccess account;
    private final DeployedTask task;

    LocalProxy(AccountAccess account, DeployedTask task) {
        this.account = account;
        this.task = task;
    }

    /** Returns the host name below localhost of an edition, in addition to those of its shards. */
    static String host(Account account, Edition edition) {
        return (account.name().equals(edition.word()) ? "" : account.name() + "-") + edition.word() + ".localhost";
    }

    static String host(Shard shard) {
        return shard.name() + ".localhost";
    }

    /** @param port returns the port of a shard's application */
    void configure(Certificates certificates, ToIntFunction<Shard> port) {
        var names = new ArrayList<>(route(port));
        names.addAll(List.of("localhost", "127.0.0.1"));
        var certificate = certificates.server(Names.proxyStack(task.account().name(), task.edition()), names);
        updateSecret(variable("CERTIFICATE_SECRET_ARN"),
                JSON.writeValueAsString(new TreeMap<>(Map.of("certificate", certificate.certificate(), "key", certificate.key()))));
        publish(certificates.clients());
    }

    /** Routes requests to the current addresses of the shards, and returns the host names. */
    private Set<String> route(ToIntFunction<Shard> port) {
        // of two concurrent calls, the later one sees the ports of both
        synchronized (LocalProxy.class) {
            return write(port);
        }
    }

    private Set<String> write(ToIntFunction<Shard> port) {
        var shards = task.account().applicationsOf(task.edition());
        var upstreams = new TreeMap<String, URI>();
        var hosts = new TreeMap<String, String>();
        shards.forEach(shard -> {
            upstreams.put(shard.name(), URI.create(upstream(port.applyAsInt(shard))));
            hosts.put(host(shard), shard.name());
        });
        hosts.put(host(task.account(), task.edition()), shards.getFirst().name());
        RoutingOverrides.of(task, account).addresses(upstreams, hosts);
        return hosts.keySet();
    }

    /**
     * Routes requests for a shard to its current address, and returns when the gateway uses it and finds it healthy.
     *
     * @param port  returns the port of a shard's application
     * @param admin returns the admin port of the gateway
     */
    void routeAndAwait(Shard shard, ToIntFunction<Shard> port, IntSupplier admin) {
        route(port);
        String healthy = "upstream=\"" + upstream(port.applyAsInt(shard)) + "\"} 1";
        if (!Poll.within(PATIENCE, () -> metrics(admin.getAsInt()).lines()
                .anyMatch(line -> line.startsWith("gateway_upstream_healthy{") && line.endsWith(healthy)))) {
            throw new UserFault("the gateway of " + LocalTask.name(task.account().name(), task.edition()) + " does not route to shard "
                    + shard.name() + " after " + PATIENCE.toSeconds() + " s");
        }
    }

    /** Returns the metrics of the gateway; empty if it does not answer yet. */
    private static String metrics(int port) {
        try (var in = URI.create("http://127.0.0.1:" + port + "/metrics").toURL().openStream()) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException starting) {
            return "";
        }
    }

    private static String upstream(int port) {
        return "https://127.0.0.1:" + port;
    }

    /** Publishes the client authority and the revocation list. The demo edition has neither, because it admits everyone. */
    void publish(ClientCertificates clients) {
        task.variable("CLIENT_AUTHORITY").ifPresent(authority -> put(authority, clients.authority()));
        task.variable("REVOCATION_LIST").ifPresent(list -> put(list, clients.revocationList()));
    }

    private void put(String uri, Path file) {
        var object = S3Object.of(uri);
        try (var s3 = account.client(S3Client.builder().forcePathStyle(true))) {
            s3.putObject(r -> r.bucket(object.bucket()).key(object.key()), RequestBody.fromFile(file));
        }
    }

    private void updateSecret(String secret, String value) {
        try (var secrets = account.client(SecretsManagerClient.builder())) {
            if (!value.equals(secrets.getSecretValue(r -> r.secretId(secret)).secretString())) {
                secrets.putSecretValue(r -> r.secretId(secret).secretString(value));
            }
        }
    }

    private String variable(String name) {
        return task.variable(name).orElseThrow(() -> new UserFault("service " + task.service() + " has no " + name));
    }
}
