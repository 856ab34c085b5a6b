package lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import lockstep.project.ProjectFiles;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests the components in {@code templates/} from a second repository, which fetches them from this one by Git. No jobs are run. */
class ComponentsTest {
    private static final String IMAGE = "registry.example.com/clinic/lockstep/cli";

    @TempDir private Path directory;
    private Map<String, String> environment;

    @BeforeEach
    void thisRepository() throws IOException {
        Path lockstep = Files.createDirectory(directory.resolve("lockstep"));
        ProjectFiles.copy(TestingCheckout.PROJECT.resolve("templates"), lockstep.resolve("templates"), Set.of());
        TestingCheckout.commit(lockstep, "clinic/lockstep", Map.of());
        environment = Map.of("GIT_CONFIG_COUNT", "1", "GIT_CONFIG_KEY_0", "url." + lockstep.toUri() + ".insteadOf", "GIT_CONFIG_VALUE_0",
                "https://gitlab.example.com/clinic/lockstep.git");
    }

    private TestingCheckout codeLists(String pipeline) throws IOException {
        Path lists = Files.createDirectory(directory.resolve("code-lists"));
        Files.writeString(lists.resolve(".gitlab-ci.yml"), pipeline);
        return TestingCheckout.commit(lists, "clinic/code-lists", environment);
    }

    @Test
    void anotherRepositorySyncsVerifiesAndStartsAShard() throws IOException {
        var pipeline = codeLists("""
                include:
                  - component: gitlab.example.com/clinic/lockstep/sync@main
                    inputs: {image: %1$s, data-set: lists, job: to-all-shards}
                  - component: gitlab.example.com/clinic/lockstep/verify@main
                    inputs: {image: %1$s, landscape: mine.yaml}
                  - component: gitlab.example.com/clinic/lockstep/shard@main
                    inputs: {shard: qa-lists, command: /srv/lockstep/lockstep, ttl: 30m}
                """.formatted(IMAGE)).preview();
        var jobs = TestingCheckout.jobsOf(pipeline);
        assertEquals(Set.of("to-all-shards", "verify", "qa-lists-up", "qa-lists-down"), jobs.keySet());
        assertEquals(4, TestingCheckout.parsed(pipeline));
        for (var job : Map.of("to-all-shards", "lockstep sync --aws --dataset \"lists\" --timeout 5400 --landscape "
                + "\"/opt/lockstep/lockstep.yaml\"",
                "verify", "lockstep verify --aws --dataset \"master\" --landscape \"mine.yaml\"").entrySet()) {
            var created = jobs.get(job.getKey());
            assertEquals(job.getValue(), TestingCheckout.script(created));
            assertEquals(IMAGE, created.at("/image/name").asString());
            assertEquals("{\"LOCKSTEP_ID_TOKEN\":{\"aud\":\"lockstep\"}}", created.get("id_tokens").toString());
            assertEquals("{\"LOCKSTEP_ROLE\":\"lockstep-sync-only\"}", created.get("variables").toString());
        }
        assertEquals("lockstep-lists", jobs.get("to-all-shards").get("resource_group").asString());
        for (String direction : Set.of("up", "down")) {
            assertEquals("qa/qa-lists", jobs.get("qa-lists-" + direction).at("/environment/name").asString());
            assertTrue(TestingCheckout.script(jobs.get("qa-lists-" + direction)).startsWith("/srv/lockstep/lockstep shard " + direction));
        }
        assertEquals("qa-lists-down 30m", jobs.get("qa-lists-up").at("/environment/on_stop").asString() + " "
                + jobs.get("qa-lists-up").at("/environment/auto_stop_in").asString());
    }

    @Test
    void aMissingImageIsReported() throws IOException {
        var refused = codeLists("include: {component: gitlab.example.com/clinic/lockstep/sync@main}\n").gitlab("--list");
        assertNotEquals(0, refused.exit(), refused::toString);
        assertTrue(refused.toString().contains("image"), refused::toString);
    }
}
