package lockstep.accounts;

import java.net.URI;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import lockstep.landscape.Account;
import lockstep.landscape.Edition;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Temporary changes to the deployed routes of a proxy: maintenance, canaries, and in the local cloud the addresses. They are stored as a
 * JSON merge patch (RFC 7386) in the bucket that the proxy reads every few seconds.
 */
public final class RoutingOverrides {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private final AccountAccess access;
    private final S3Object object;

    /** An S3 object, written as {@code s3://bucket/key}. */
    public record S3Object(String bucket, String key) {
        public static S3Object of(String uri) {
            var parsed = URI.create(uri);
            if (!"s3".equals(parsed.getScheme()) || parsed.getAuthority() == null || parsed.getPath().length() < 2) {
                throw new IllegalArgumentException("expected s3://bucket/key, not '" + uri + "'");
            }
            return new S3Object(parsed.getAuthority(), parsed.getPath().substring(1));
        }
    }

    private RoutingOverrides(AccountAccess access, S3Object object) {
        this.access = access;
        this.object = object;
    }

    /** Returns the overrides of a deployed proxy. */
    public static RoutingOverrides of(DeployedTask proxy, AccountAccess access) {
        return new RoutingOverrides(access, S3Object.of(proxy.variable("ROUTES_OVERRIDES")
                .orElseThrow(() -> new IllegalStateException("service " + proxy.service() + " has no ROUTES_OVERRIDES"))));
    }

    /** @throws IllegalArgumentException if the account has no such proxy */
    public static RoutingOverrides of(Account account, Edition edition, AccountAccess access) {
        return of(DeployedTask.proxy(account, edition, access).orElseThrow(() -> new IllegalArgumentException(
                "no proxy of the " + edition.word() + " edition is deployed in account " + account.name())), access);
    }

    /** Returns the current patch; empty if there is none. */
    public ObjectNode read() {
        try (var s3 = client()) {
            return (ObjectNode) JSON.readTree(s3.getObjectAsBytes(r -> r.bucket(object.bucket()).key(object.key())).asByteArrayUnsafe());
        } catch (NoSuchKeyException none) {
            return JSON.createObjectNode();
        }
    }

    /** Reads the patch, changes it, and writes it if it differs. If two changes overlap, the last write wins. */
    public void change(Consumer<ObjectNode> change) {
        var before = read();
        var after = before.deepCopy();
        change.accept(after);
        if (!after.equals(before)) {
            try (var s3 = client()) {
                s3.putObject(r -> r.bucket(object.bucket()).key(object.key()).contentType("application/json"),
                        RequestBody.fromBytes(JSON.writeValueAsBytes(after)));
            }
        }
    }

    /**
     * Switches the maintenance page on or off.
     *
     * @param shard   the shard; the whole edition if empty
     * @param message the message on the page
     */
    public void maintenance(Optional<String> shard, boolean on, Optional<String> message) {
        change(patch -> {
            var place = shard.map(name -> patch.withObject("/shards/" + name)).orElse(patch);
            if (on) {
                var page = JSON.createObjectNode().put("on", true);
                message.ifPresent(text -> page.put("message", text));
                place.set("maintenance", page);
            } else {
                // the deployed routes have no maintenance page
                place.remove("maintenance");
            }
            removeEmptyShards(patch);
        });
    }

    /** @param weight the percentage of new sessions, 0 to 100 */
    public void canary(String shard, URI upstream, double weight) {
        change(patch -> patch.withObject("/shards/" + shard).set("canary",
                JSON.createObjectNode().put("upstream", upstream.toString()).put("weight", weight)));
    }

    /** Ends the canary for everyone immediately, including sessions that use it. */
    public void endCanary(String shard) {
        change(patch -> {
            patch.withObject("/shards/" + shard).remove("canary");
            removeEmptyShards(patch);
        });
    }

    /**
     * Sets the actual addresses of the shards and their additional host names. Overrides of all other shards are removed.
     *
     * @param upstreams the upstream by shard
     * @param hosts     the shard by host name
     */
    public void addresses(Map<String, URI> upstreams, Map<String, String> hosts) {
        change(patch -> {
            var shards = patch.withObject("/shards");
            keep(shards, upstreams.keySet());
            new TreeMap<>(upstreams).forEach((shard, upstream) -> shards.withObject("/" + shard).put("upstream", upstream.toString()));
            patch.remove("hosts");
            var names = patch.withObject("/hosts");
            new TreeMap<>(hosts).forEach(names::put);
        });
    }

    private static void keep(ObjectNode object, Collection<String> names) {
        object.remove(object.propertyNames().stream().filter(name -> !names.contains(name)).toList());
    }

    private static void removeEmptyShards(ObjectNode patch) {
        if (patch.get("shards") instanceof ObjectNode shards) {
            var empty = shards.properties().stream().filter(shard -> shard.getValue().isEmpty()).map(Map.Entry::getKey).toList();
            shards.remove(empty);
        }
    }

    private S3Client client() {
        return access.client(S3Client.builder().forcePathStyle(true));
    }
}
