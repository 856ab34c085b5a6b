package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.parts.Retention.VersionedStore;
import lockstep.masterdata.engine.parts.Retention;
import lockstep.masterdata.engine.restore.Preflight.Mode;
import lockstep.masterdata.engine.restore.Stager;
import org.junit.jupiter.api.Test;

/** Tests that old manifests and their parts are deleted, but nothing that may be in use. */
class RetentionTest {
    private static final Duration GRACE = Duration.ofHours(6);
    private final TestingSync sync = new TestingSync(TestingProduct.DATA_SET);
    private final TestingDatabase source = TestingProduct.source();
    private final TestingDatabase target = TestingProduct.database();
    private final VersionedStore versions = versions(sync.store);

    /** Versions are numbered in the order in which objects were written. */
    static VersionedStore versions(TestingStore store) {
        return new VersionedStore() {
            @Override
            public List<ObjectVersion> list(String prefix) {
                return store.objects.keySet().stream().filter(k -> k.startsWith(prefix))
                        .map(k -> new ObjectVersion(k, Integer.toString(store.puts.lastIndexOf(k)), store.times.get(k))).toList();
            }

            @Override
            public void delete(ObjectVersion object) {
                if (store.puts.lastIndexOf(object.key()) == Integer.parseInt(object.version())) store.objects.remove(object.key());
            }
        };
    }

    private void dumpFour() {
        for (int i = 0; i < 4; i++) {
            source.execute("UPDATE m.drug SET name = 'v" + i + "' WHERE id % 100 = " + i);
            sync.dump(source, "s" + i);
        }
    }

    private Retention.Collected collect(int newest, Duration after) {
        return new Retention(newest, Duration.ZERO, GRACE).collect(sync.store, versions, "master", Instant.now().plus(after));
    }

    @Test
    void whatNoKeptManifestNeedsGoesAfterTheTimeOfGrace() {
        dumpFour();
        int before = sync.store.objects.size();
        assertEquals(new Retention.Collected(List.of("s1", "s0"), 0), collect(2, Duration.ofMinutes(1)));
        assertThrows(Fault.ManifestRefused.class, () -> sync.readManifest("s1"));
        assertEquals(new Retention.Collected(List.of(), 0), collect(2, Duration.ofMinutes(2)));
        assertTrue(collect(2, Duration.ofDays(1)).parts() > 4);
        assertTrue(sync.store.objects.size() < before - 6);
        sync.restore(target, "s3");
        assertEquals(TestingProduct.contents(source), TestingProduct.contents(target));
        sync.restore(target, "s2", Mode.ROLLBACK);
        assertTrue(sync.plan.tables().stream().allMatch(t -> t.parts() == 0), "back by the delta");
        source.execute("UPDATE m.drug SET name = 'again' WHERE id = 8");
        sync.run(source, target, "s4");
        assertEquals(TestingProduct.contents(source), TestingProduct.contents(target));
    }

    @Test
    void aRestoreThatHasBegunEnds() {
        dumpFour();
        var plan = sync.preflight(target, "s0");
        collect(1, Duration.ofMinutes(1));
        for (var batch : plan.batches()) new Stager(target, 1).stage("master", "s0", batch, keys -> sync.store);
        TestingSync.publisher(target).publish("master", "s0");
    }

    @Test
    void aPartThatIsPutAgainWhileItIsCollectedStays() {
        var part = sync.dump(source, "s0").table("m.drug").orElseThrow().parts().getFirst();
        String object = part.object();
        byte[] bytes = sync.store.objects.get(object);
        var version = versions.list(object).getFirst();
        sync.store.put(object, bytes);
        versions.delete(version);
        assertTrue(sync.store.objects.containsKey(object));
    }

    @Test
    void youngManifestsAreKeptBeyondTheNumber() {
        dumpFour();
        assertEquals(List.of(),
                new Retention(1, Duration.ofDays(1), GRACE).collect(sync.store, versions, "master", Instant.now()).dropped());
    }

    @Test
    void partsThatNoManifestNamesYetStayForTheTimeOfGrace() {
        sync.dump(source, "s0");
        sync.store.put("parts/master/under-way", new byte[1]);
        assertEquals(0, collect(1, Duration.ofHours(5)).parts());
        assertEquals(1, collect(1, Duration.ofHours(7)).parts());
        assertFalse(sync.store.objects.containsKey("parts/master/under-way"));
    }

    @Test
    void whatWasSealedForAForecastGoesAfterTheTimeOfGrace() {
        sync.dump(source, "s0");
        source.execute("UPDATE m.drug SET name = 'rehearsed' WHERE id = 9");
        sync.rehearse(source, "try");
        int before = sync.store.objects.size();
        assertEquals(new Retention.Collected(List.of(), 0), collect(1, Duration.ofHours(5)));
        assertEquals(before, sync.store.objects.size());
        assertTrue(collect(1, Duration.ofHours(7)).parts() > 0);
        assertEquals(List.of(), sync.store.objects.keySet().stream().filter(k -> k.contains("try") && k.startsWith("manifests/")).toList());
        sync.restore(target, "s0");
    }

    @Test
    void stopsAtAManifestThatCannotBeRead() {
        dumpFour();
        sync.store.put("manifests/master/s1.json", new byte[]{'{'});
        int before = sync.store.objects.size();
        assertThrows(Fault.ManifestRefused.class, () -> collect(1, Duration.ofDays(1)));
        assertEquals(before, sync.store.objects.size());
    }

    @Test
    void theNewestIsAlwaysKept() {
        assertThrows(Fault.InvalidRequest.class, () -> new Retention(0, Duration.ZERO, GRACE));
        assertThrows(Fault.InvalidRequest.class, () -> new Retention(1, Duration.ZERO, Duration.ZERO));
    }
}
