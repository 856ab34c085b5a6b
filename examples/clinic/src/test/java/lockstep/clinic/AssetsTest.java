package lockstep.clinic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import lockstep.clinic.configuration.Edition;
import lockstep.clinic.store.PublishedAssets.Generation;
import lockstep.clinic.store.PublishedAssets.Published;
import lockstep.clinic.store.PublishedAssets;
import lockstep.clinic.web.Assets;
import org.junit.jupiter.api.Test;

/** During a deployment, pages and their files come from tasks of two releases. */
class AssetsTest {
    private final TestingDatabase database = new TestingDatabase().migrated();

    private void publish(Generation generation) {
        PublishedAssets.publish(database.admin().url(Optional.of(TestingDatabase.authority())), database.admin().username(), "secret",
                generation);
    }

    private static Generation generation(String id, String... names) {
        return new Generation(id, Stream.of(names)
                .map(name -> new Published(path(name), "text/css; charset=utf-8", name.getBytes(StandardCharsets.UTF_8))).toList());
    }

    private static String path(String name) {
        return "/static/" + name + ".0123456789abcdef.css";
    }

    private Set<String> kept() {
        return new TreeSet<>(database.values("SELECT split_part(split_part(path, '/', 3), '.', 1) FROM tenant.asset"));
    }

    @Test
    void aTaskAnswersForTheReleaseBeforeItAndAfterIt() {
        publish(generation("before", "old", "same"));
        publish(Assets.load().generation());
        try (var clinic = new TestingClinic(Edition.DEMO, database)) {
            var answer = clinic.browser().get(path("old")).is(200);
            assertEquals("old", answer.text());
            assertEquals("public, max-age=31536000, immutable", answer.header("Cache-Control"));
            assertTrue(answer.header("Content-Type").startsWith("text/css"), answer.header("Content-Type"));
            clinic.browser().get(path("new")).is(404);
            // a newer release has migrated and serves its first pages
            publish(generation("after", "new"));
            assertEquals("new", clinic.browser().get(path("new")).is(200).text());
            assertEquals("old", clinic.browser().get(path("old")).is(200).text(), "a page of long ago that was looked for once");
        }
    }

    @Test
    void twoGenerationsAreKept() {
        publish(generation("1", "one", "same"));
        publish(generation("2", "two", "same"));
        assertEquals(Set.of("one", "same", "two"), kept());
        publish(generation("2", "two", "same"));
        assertEquals(Set.of("one", "same", "two"), kept(), "a task that starts again changes nothing");
        publish(generation("3", "three", "same"));
        assertEquals(Set.of("same", "three", "two"), kept());
        // rolled back
        publish(generation("2", "two", "same"));
        assertEquals(Set.of("same", "three", "two"), kept());
        publish(generation("1", "one", "same"));
        assertEquals(Set.of("one", "same", "two"), kept());
    }

    @Test
    void whatIsNoNameOfAFileIsNotLookedFor() {
        publish(new Generation("x", List.of(new Published("/static/secret", "text/plain", new byte[]{1}))));
        try (var clinic = new TestingClinic(Edition.DEMO, database)) {
            for (String path : List.of("/static/secret", "/static/clinic.css", "/static/a.0123456789abcdef.html", "/static/../login",
                    "/static/'.0123456789abcdef.css")) {
                assertTrue(clinic.browser().get(path).text().length() != 1, path);
            }
        }
    }

    /** An older release that was redeployed has revoked the privilege to read them. Its pages need only its own files. */
    @Test
    void withoutTheTableItsOwnFilesAreServed() {
        database.values("REVOKE ALL ON tenant.asset FROM " + database.application().username());
        try (var clinic = new TestingClinic(Edition.DEMO, database)) {
            clinic.browser().get(path("old")).is(404);
            for (var own : Assets.load().generation().files()) clinic.browser().get(own.path()).is(200);
        }
    }
}
