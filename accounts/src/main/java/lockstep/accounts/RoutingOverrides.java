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
 * What differs from the deployed routes of a proxy until somebody takes it back: maintenance, canaries, and on this machine the
 * addresses. A JSON merge patch (RFC 7386) in the bucket that the proxy reads every few seconds.
 */
public final class RoutingOverrides {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private final AccountAccess access;
    private final S3Object object;

    /** An object of S3, as {@code s3://bucket/key} names it. */
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

    /** Those of a proxy that is deployed. */
    public static RoutingOverrides of(DeployedTask proxy, AccountAccess access) {
        return new RoutingOverrides(access, S3Object.of(proxy.variable("ROUTES_OVERRIDES")
                .orElseThrow(() -> new IllegalStateException("service " + proxy.service() + " has no ROUTES_OVERRIDES"))));
    }

    /** @throws IllegalArgumentException when the account has no such proxy */
    public static RoutingOverrides of(Account account, Edition edition, AccountAccess access) {
        return of(DeployedTask.proxy(account, edition, access).orElseThrow(() -> new IllegalArgumentException(
                "no proxy of the " + edition.word() + " edition is deployed in account " + account.name())), access);
    }

    /** The patch in force; empty when there is none. */
    public ObjectNode read() {
        try (var s3 = client()) {
            return (ObjectNode) JSON.readTree(s3.getObjectAsBytes(r -> r.bucket(object.bucket()).key(object.key())).asByteArrayUnsafe());
        } catch (NoSuchKeyException none) {
            return JSON.createObjectNode();
        }
    }

    /** Reads, changes and writes the patch, unless the change changes nothing. Of two at the same time the later one wins. */
    public void change(Consumer<ObjectNode> change) {
        var before = read();
        var after = before.deepCopy();
        change.accept(after);
        if (!after.equals(before)) {
            try (var s3 = client()) {
                s3.putObject(r -> r.bucket(object.bucket()).key(object.key()).contentType("application/json"), RequestBody.fromBytes(JSON.writeValueAsBytes(after)));
            }
        }
    }

    /**
     * The maintenance page.
     *
     * @param shard   of one shard, or of the whole edition
     * @param message shown on it, when it is on
     */
    public void maintenance(Optional<String> shard, boolean on, Optional<String> message) {
        change(patch -> {
            var place = shard.map(name -> patch.withObject("/shards/" + name)).orElse(patch);
            if (on) {
                var page = JSON.createObjectNode().put("on", true);
                message.ifPresent(text -> page.put("message", text));
                place.set("maintenance", page);
            } else {
                // what is deployed is without
                place.remove("maintenance");
            }
            removeEmptyShards(patch);
        });
    }

    /** @param weight per cent of new sessions, 0 to 100 */
    public void canary(String shard, URI upstream, double weight) {
        change(patch -> patch.withObject("/shards/" + shard).set("canary", JSON.createObjectNode().put("upstream", upstream.toString()).put("weight", weight)));
    }

    /** Ends it for everybody at once, those too whose session it had. */
    public void endCanary(String shard) {
        change(patch -> {
            patch.withObject("/shards/" + shard).remove("canary");
            removeEmptyShards(patch);
        });
    }

    /**
     * Where the shards really are, and under which further names they answer. Of shards that are not among them nothing is left.
     *
     * @param upstreams by shard
     * @param hosts     host to shard
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
