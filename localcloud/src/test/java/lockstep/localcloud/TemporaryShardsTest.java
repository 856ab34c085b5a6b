package lockstep.localcloud;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import lockstep.landscape.Account;
import lockstep.landscape.Edition;
import lockstep.landscape.Landscape;
import lockstep.landscape.LandscapeReader;
import lockstep.landscape.Shard;
import lockstep.localcloud.TemporaryShards.TemporaryShard;
import lockstep.project.ProjectFiles;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TemporaryShardsTest {
    private static final Path DECLARED = ProjectFiles.ofLauncher().project().resolve("lockstep.yaml");

    @TempDir private Path directory;
    private TemporaryShards shards;

    @BeforeEach
    void create() {
        var files = new ProjectFiles(directory, directory, directory.resolve("cloud"));
        files.create();
        shards = new TemporaryShards(files);
    }

    @Test
    void withoutAnyTheFileItselfIsTheLandscape() {
        assertEquals(DECLARED, shards.landscape(DECLARED));
    }

    @Test
    void oneIsTheLastOfItsAccountAndNothingElseDiffers() {
        shards.add(shard("qa-demo-2", false));
        Landscape declared = LandscapeReader.read(DECLARED);
        Landscape merged = LandscapeReader.read(shards.landscape(DECLARED));
        var qa = account(merged);
        assertEquals(new Shard("qa-demo-2", Edition.DEMO), qa.shards().getLast());
        var without = new Account(qa.name(), qa.id(), qa.purpose(), qa.shards().subList(0, qa.shards().size() - 1), qa.proxies());
        assertEquals(declared.accounts(),
                merged.accounts().stream().map(account -> account.name().equals("qa") ? without : account).toList());
        assertEquals(declared.dataSets(), merged.dataSets());
        assertEquals(List.of(declared.product(), declared.release(), declared.region()),
                List.of(merged.product(), merged.release(), merged.region()));
    }

    @Test
    void oneThatIsLeavingIsInTheLandscapeBeforeOnly() {
        shards.add(shard("qa-demo-2", true));
        shards.add(shard("qa-demo-3", false));
        assertEquals(List.of("qa-1", "qa-demo-1", "qa-demo-3"), names(shards.landscape(DECLARED)));
        assertEquals(List.of("qa-1", "qa-demo-1", "qa-demo-2", "qa-demo-3"), names(shards.landscapeBefore(DECLARED)));
        shards.remove("qa-demo-2");
        shards.remove("qa-demo-3");
        assertEquals(DECLARED, shards.landscapeBefore(DECLARED));
    }

    @Test
    void itsTimeIsOverAfterItsExpiryAndWhileItLeaves() {
        assertFalse(shard("x", false).isExpired());
        assertTrue(shard("x", true).isExpired());
        assertTrue(new TemporaryShard("x", "qa", Edition.DEMO, Instant.now().minusSeconds(1), false).isExpired());
        shards.add(shard("x", false));
        assertEquals(shard("x", false).name(), shards.find("x").orElseThrow().name());
    }

    private static TemporaryShard shard(String name, boolean leaving) {
        return new TemporaryShard(name, "qa", Edition.DEMO, Instant.now().plus(Duration.ofHours(1)), leaving);
    }

    private static Account account(Landscape landscape) {
        return landscape.accounts().stream().filter(account -> account.name().equals("qa")).findFirst().orElseThrow();
    }

    private static List<String> names(Path file) {
        return account(LandscapeReader.read(file)).shards().stream().map(Shard::name).toList();
    }
}
