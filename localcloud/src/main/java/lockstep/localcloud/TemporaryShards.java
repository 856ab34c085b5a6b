package lockstep.localcloud;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import lockstep.landscape.Edition;
import lockstep.project.ProjectFiles;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The temporary shards, stored with the state of the cloud. They are added to those of lockstep.yaml, which is not changed. */
public final class TemporaryShards {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private final ProjectFiles files;

    public TemporaryShards(ProjectFiles files) {
        this.files = files;
    }

    /** @param leaving whether its removal has started; it is then no longer part of the landscape but may still exist */
    public record TemporaryShard(String name, String account, Edition edition, Instant expires, boolean leaving) {
        @JsonIgnore
        public boolean isExpired() {
            return leaving || expires.isBefore(Instant.now());
        }
    }

    public List<TemporaryShard> list() {
        try {
            return Files.exists(file()) ? JSON.readValue(Files.readAllBytes(file()), new TypeReference<List<TemporaryShard>>() {})
                    : List.of();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file(), e);
        }
    }

    public Optional<TemporaryShard> find(String name) {
        return list().stream().filter(shard -> shard.name().equals(name)).findFirst();
    }

    public void add(TemporaryShard shard) {
        var shards = new ArrayList<>(list());
        shards.removeIf(known -> known.name().equals(shard.name()));
        shards.add(shard);
        write(shards);
    }

    void remove(String name) {
        write(list().stream().filter(shard -> !shard.name().equals(name)).toList());
    }

    /** Returns a landscape file that includes the temporary shards: the declared file if there are none, otherwise a new file. */
    public Path landscape(Path declared) {
        return landscape(declared, "landscape.yaml", shard -> !shard.leaving());
    }

    /** Returns a landscape file that also includes shards whose removal has started. */
    Path landscapeBefore(Path declared) {
        return landscape(declared, "landscape-before.yaml", shard -> true);
    }

    private Path landscape(Path declared, String name, Predicate<TemporaryShard> wanted) {
        var shards = list().stream().filter(wanted).toList();
        if (shards.isEmpty()) {
            return declared;
        }
        try (var in = Files.newInputStream(declared)) {
            ObjectNode landscape = JSON.valueToTree(new Load(LoadSettings.builder().build()).loadFromInputStream(in));
            for (TemporaryShard shard : shards) {
                // skip the shards of an account that was removed from the file
                if (landscape.at("/accounts/" + shard.account() + "/shards") instanceof ObjectNode known && !known.has(shard.name())) {
                    known.set(shard.name(), JSON.valueToTree(Map.of("edition", shard.edition().word())));
                }
            }
            // paths are relative to the declared file
            Path home = declared.toAbsolutePath().getParent();
            landscape.get("accounts").forEach(account -> account.get("shards").forEach(shard -> {
                makeAbsolute(home, shard.path("database"));
                makeAbsolute(home, shard.at("/database/local"));
            }));
            if (landscape.get("product") instanceof ObjectNode product) {
                product.put("directory", home.resolve(product.path("directory").asString("")).normalize().toString());
            }
            // JSON is YAML
            byte[] merged = JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(landscape);
            Path file = files.home().resolve(name);
            if (!Files.exists(file) || !java.util.Arrays.equals(Files.readAllBytes(file), merged)) {
                ProjectFiles.writePrivately(file, merged);
            }
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + declared, e);
        }
    }

    private static void makeAbsolute(Path home, JsonNode existing) {
        for (String field : List.of("ca", "passwordFile", "localSchema")) {
            if (existing instanceof ObjectNode object && object.has(field))
                object.put(field, home.resolve(object.get(field).asString()).normalize().toString());
        }
    }

    private void write(List<TemporaryShard> shards) {
        ProjectFiles.writePrivately(file(), JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(shards));
    }

    private Path file() {
        return files.home().resolve("shards.json");
    }
}
