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
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The shards that were brought up for a while, besides those of lockstep.yaml, which is left alone. Kept beside the cloud's state. */
public final class TemporaryShards {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private final ProjectFiles files;

    public TemporaryShards(ProjectFiles files) {
        this.files = files;
    }

    /** @param leaving whether it is being taken down: no part of the landscape any more, and perhaps not yet gone */
    public record TemporaryShard(String name, String account, Edition edition, Instant expires, boolean leaving) {
        @JsonIgnore
        public boolean isExpired() {
            return leaving || expires.isBefore(Instant.now());
        }
    }

    public List<TemporaryShard> list() {
        try {
            return Files.exists(file()) ? JSON.readValue(Files.readAllBytes(file()), new TypeReference<List<TemporaryShard>>() {}) : List.of();
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

    /** The landscape with them: the file itself when there are none, else one that is written beside the state. */
    public Path landscape(Path declared) {
        return landscape(declared, "landscape.yaml", shard -> !shard.leaving());
    }

    /** With those too that are being taken down. */
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
                // an account that left the file took its shards along
                if (landscape.at("/accounts/" + shard.account() + "/shards") instanceof ObjectNode known && !known.has(shard.name())) {
                    known.set(shard.name(), JSON.valueToTree(Map.of("edition", shard.edition().word())));
                }
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

    private void write(List<TemporaryShard> shards) {
        ProjectFiles.writePrivately(file(), JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(shards));
    }

    private Path file() {
        return files.home().resolve("shards.json");
    }
}
