package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import java.util.function.UnaryOperator;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.copy.Column;
import lockstep.masterdata.engine.dump.AwaitedSnapshot;
import lockstep.masterdata.engine.dump.Batch;
import lockstep.masterdata.engine.dump.Dumper;
import lockstep.masterdata.engine.dump.Planner;
import lockstep.masterdata.engine.dump.Released;
import lockstep.masterdata.engine.dump.SnapshotHolder;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.parts.PartStore;
import lockstep.masterdata.engine.parts.SyncPaths;
import lockstep.masterdata.engine.postgres.PostgresDatabase;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.masterdata.engine.restore.Preflight;
import lockstep.masterdata.engine.restore.Stager;
import org.junit.jupiter.api.Test;

/** Tests invalid input and faults: each is refused with a specific fault and leaves the target unchanged. */
class RefusalTest {
    private final TestingSync sync = new TestingSync(TestingProduct.DATA_SET);
    private final TestingDatabase source = TestingProduct.source();
    private final TestingDatabase target = TestingProduct.database();

    private <T extends Fault> void refused(Class<T> fault, Runnable work, String... told) {
        String before = TestingProduct.contents(target);
        var refused = assertThrows(fault, work::run);
        for (String word : told) assertTrue(refused.getMessage().contains(word), () -> "'" + word + "' is not in: " + refused.getMessage());
        assertEquals(before, TestingProduct.contents(target));
    }

    @Test
    void namesEverythingThatTheTargetLacks() {
        target.execute("DROP TABLE m.postal", "ALTER TABLE m.drug DROP COLUMN tags", "ALTER TABLE m.drug ALTER price TYPE numeric(8, 2)",
                "ALTER TABLE m.drug ADD must text NOT NULL", "ALTER TABLE m.interaction DROP CONSTRAINT interaction_pkey");
        sync.dump(source, "one");
        var refused = assertThrows(Fault.SchemaMismatch.class, () -> sync.preflight(target, "one"));
        for (String told : List.of("table m.postal does not exist", "column m.drug.tags does not exist",
                "column m.drug.price is numeric(8,2) here and numeric at the source", "m.drug.must is NOT NULL without a default",
                "key (id) of m.interaction is not a unique index", "Nothing was changed"))
            assertTrue(refused.getMessage().contains(told), () -> told + " / " + refused.getMessage());
        assertEquals("0", target.value("SELECT count(*) FROM pg_class WHERE relname LIKE 'staging%'"));
    }

    @Test
    void namesEverythingThatTheSourceLacks() {
        var wrong = new TestingSync(new DataSet("master", "clinic-1", List.of(
                new Table("m.nothing", List.of("id"), List.of("id"), Optional.empty()),
                new Table("m.drug", List.of("id", "colour", "name"), List.of("name"), Optional.empty()))));
        refused(Fault.SchemaMismatch.class, () -> wrong.hold(source, "one"), "table m.nothing does not exist",
                "column m.drug.colour does not exist",
                "key (name) of m.drug is not a unique index");
    }

    @Test
    void refusesAnAlteredManifest() {
        sync.dump(source, "one");
        byte[] manifest = sync.store.objects.get("manifests/master/one.json");
        manifest[manifest.length / 2] ^= 1;
        refused(Fault.ManifestRefused.class, () -> sync.restore(target, "one"), "altered or forged");
    }

    @Test
    void refusesASignedManifestWithWhatNobodyAllowed() {
        sync.dump(source, "one");
        forge("one", table -> table.name().equals("m.drug") ? withColumn(table, new Column("secret", "text")) : table);
        refused(Fault.ManifestRefused.class, () -> sync.restore(target, "one"), "column m.drug.secret is not allowed");
        forge("one", table -> table.name().equals("m.drug") ? new TableManifest("m.prescription", table.columns(), table.key(),
                table.where(), table.rows(), table.digest(), table.parts(), table.deltas()) : table);
        refused(Fault.ManifestRefused.class, () -> sync.restore(target, "one"), "table m.prescription is not allowed",
                "table m.drug is missing");
    }

    @Test
    void refusesAManifestOfAnotherPlaceOrWithoutSignature() {
        sync.dump(source, "one");
        sync.store.objects.put("manifests/master/two.json", sync.store.objects.get("manifests/master/one.json"));
        refused(Fault.ManifestRefused.class, () -> sync.restore(target, "two"), "two.json.sig' does not exist");
        sync.store.objects.put("manifests/master/two.json.sig", sync.store.objects.get("manifests/master/one.json.sig"));
        refused(Fault.ManifestRefused.class, () -> sync.restore(target, "two"), "it is of sync 'one'");
    }

    private static TableManifest withColumn(TableManifest table, Column column) {
        var columns = new ArrayList<>(table.columns());
        columns.add(column);
        return new TableManifest(table.name(), columns, table.key(), table.where(), table.rows(), table.digest(), table.parts(),
                table.deltas());
    }

    private void forge(String syncId, UnaryOperator<TableManifest> change) {
        var manifest = Json.MAPPER.readValue(sync.store.objects.get("manifests/master/" + syncId + ".json"), Manifest.class);
        byte[] forged = Json.MAPPER.writeValueAsBytes(
                new Manifest(Manifest.FORMAT, manifest.dataSet(), manifest.syncId(), manifest.source(), manifest.snapshotTime(),
                        manifest.release(), manifest.tables().stream().map(change).toList()));
        sync.store.put("manifests/master/" + syncId + ".json", forged);
        sync.store.put("manifests/master/" + syncId + ".json.sig", sync.sign(forged));
    }

    @Test
    void refusesDamagedParts() {
        sync.run(source, target, "zero");
        source.execute("UPDATE m.drug SET price = price + 1");
        var part = sync.dump(source, "one").tables().get(1).parts().get(2);
        byte[] whole = sync.store.objects.get(part.object());
        var other = sync.readManifest("one").tables().get(1).parts().get(1);

        sync.store.objects.remove(part.object());
        refused(Fault.PartRefused.class, () -> sync.restore(target, "one"), part.object(), "missing");
        sync.store.put(part.object(), whole, whole.length - 20);
        refused(Fault.PartRefused.class, () -> sync.restore(target, "one"), "truncated or altered");
        for (int at = 0; at < whole.length; at += Math.max(1, whole.length / 40)) {
            byte[] altered = whole.clone();
            altered[at] ^= 0x10;
            sync.store.put(part.object(), altered);
            refused(Fault.PartRefused.class, () -> sync.restore(target, "one"), part.object());
        }
        sync.store.put(part.object(), sync.store.objects.get(other.object()));
        refused(Fault.PartRefused.class, () -> sync.restore(target, "one"), part.object());
        byte[] longer = java.util.Arrays.copyOf(whole, whole.length + 10);
        sync.store.put(part.object(), longer);
        refused(Fault.PartRefused.class, () -> sync.restore(target, "one"), part.object());

        sync.store.put(part.object(), whole);
        sync.restore(target, "one");
        assertEquals(TestingProduct.contents(source), TestingProduct.contents(target));
    }

    @Test
    void doesNotPublishWhatIsNotWhollyStaged() {
        sync.dump(source, "one");
        sync.preflight(target, "one");
        new Stager(target, 1).stage("master", "one", new Preflight.PartRange(0, 2), keys -> sync.store);
        refused(Fault.BatchFailed.class, () -> TestingSync.publisher(target).publish("master", "one"), "were not staged");
    }

    @Test
    void doesNotSealAnIncompleteDump() {
        sync.dump(source, "one");
        var last = sync.batches("one").length - 1;
        sync.store.objects.remove(new SyncPaths("master", "one").dumped(last));
        refused(Fault.BatchFailed.class, () -> sync.seal("one"), "the dump is not complete");
    }

    @Test
    void aKilledReaderIsTriedAgain() {
        var paths = new SyncPaths("master", "one");
        try (var executor = Executors.newSingleThreadExecutor()) {
            var holder = CompletableFuture.supplyAsync(() -> sync.hold(source, "one"), executor);
            AwaitedSnapshot.await(sync.store, paths, Instant.now().plusSeconds(20));
            assertThrows(Fault.DatabaseUnavailable.class,
                    () -> new Dumper(source, killOnPut(), 2, 1 << 10).dump(sync.dataSet, paths, sync.batches("one")[0]));
            for (Batch batch : sync.batches("one")) sync.dumper(source).dump(sync.dataSet, paths, batch);
            sync.seal("one");
            new Released("done").write(sync.store, paths);
            holder.join();
        }
        sync.restore(target, "one");
        assertEquals(TestingProduct.contents(source), TestingProduct.contents(target));
    }

    /** Returns a store that kills copying backends when a part is written, which is in the middle of a range. */
    private PartStore killOnPut() {
        return new PartStore() {
            @Override
            public void put(String key, byte[] bytes, int length) {
                source.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + source.name()
                        + "' AND query LIKE 'COPY%' AND pid <> pg_backend_pid()");
            }

            @Override
            public Optional<java.io.InputStream> open(String key) {
                return sync.store.open(key);
            }

            @Override
            public int inlineBelow() {
                return 0;
            }
        };
    }

    @Test
    void aHolderWhoseConnectionDiesEndsTheDumpWithThatCause() {
        var paths = new SyncPaths("master", "one");
        try (var executor = Executors.newSingleThreadExecutor()) {
            var holder = CompletableFuture.supplyAsync(() -> sync.hold(source, "one"), executor);
            AwaitedSnapshot.await(sync.store, paths, Instant.now().plusSeconds(20));
            source.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + source.name()
                    + "' AND state LIKE 'idle in transaction%'");
            var gone = assertThrows(CompletionException.class, holder::join);
            assertTrue(gone.getCause() instanceof Fault.SnapshotGone, gone.toString());
        }
        var unheld = assertThrows(Fault.SnapshotGone.class, () -> sync.dumper(source).dump(sync.dataSet, paths, sync.batches("one")[0]));
        assertTrue(unheld.getMessage().contains("no longer held"), unheld.getMessage());
        assertThrows(Fault.SnapshotGone.class, () -> sync.hold(source, "one"), "a second snapshot is never mixed with the first");
        assertEquals("0", openTransactions(source));
    }

    @Test
    void theHolderLetsGoAtItsDeadline() {
        assertThrows(Fault.SnapshotGone.class, () -> new SnapshotHolder(source, sync.store, Planner.DEFAULT, (bytes, signature) -> true)
                .hold(sync.dataSet, new SyncPaths("master", "one"), Instant.now().plusMillis(300)));
        assertEquals("0", openTransactions(source));
    }

    private static String openTransactions(TestingDatabase database) {
        return database.value(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = '" + database.name() + "' AND state LIKE 'idle in transaction%'");
    }

    @Test
    void waitsForAVisitorsLockOnlySoLong() throws Exception {
        sync.run(source, target, "one");
        source.execute("UPDATE m.drug SET price = 3 WHERE id = 3");
        sync.dump(source, "two");
        sync.stage(target, "two");
        try (var visitor = target.connect()) {
            Sql.execute(visitor, "BEGIN");
            Sql.execute(visitor, "SELECT FROM m.drug WHERE id = 3 FOR UPDATE");
            refused(Fault.Busy.class, () -> TestingSync.publisher(target).publish("master", "two"), "lock timeout");
            Sql.execute(visitor, "COMMIT");
        }
        TestingSync.publisher(target).publish("master", "two");
        assertEquals(TestingProduct.contents(source), TestingProduct.contents(target));
    }

    @Test
    void aSecondPublishWaitsForTheFirst() throws Exception {
        sync.dump(source, "one");
        sync.stage(target, "one");
        try (var other = target.connect()) {
            Sql.execute(other, "BEGIN");
            Sql.execute(other, "SELECT pg_advisory_xact_lock(hashtextextended('lockstep master', 0))");
            refused(Fault.Busy.class, () -> TestingSync.publisher(target).publish("master", "one"));
        }
        TestingSync.publisher(target).publish("master", "one");
    }

    @Test
    void tellsASwapOfUniqueValuesAsAConflict() {
        sync.run(source, target, "one");
        source.execute("UPDATE m.drug SET code = 'x' WHERE id = 1", "UPDATE m.drug SET code = 'D1' WHERE id = 2",
                "UPDATE m.drug SET code = 'D2' WHERE id = 1");
        refused(Fault.MergeConflict.class, () -> sync.run(source, target, "two"), "drug_code_key", "columns outside the data set");
    }

    @Test
    void doesNotOverwriteARowOfTheShardsOwn() {
        sync.run(source, target, "one");
        target.execute("INSERT INTO m.postal VALUES ('5555555', 1, 'local')");
        source.execute("INSERT INTO m.postal VALUES ('5555555', 1, 'public')");
        refused(Fault.MergeConflict.class, () -> sync.run(source, target, "two"), "1 rows of m.postal belong to this shard",
                "(5555555,1)");
        assertEquals("local", target.value("SELECT town FROM m.postal WHERE code = '5555555'"));
    }

    @Test
    void aKeptRowsUniqueValueIsNotGivenAway() {
        sync.run(source, target, "one");
        target.execute("INSERT INTO m.prescription (drug) VALUES (7)");
        source.execute("DELETE FROM m.interaction WHERE 7 IN (a, b)", "DELETE FROM m.drug WHERE id = 7",
                "INSERT INTO m.drug (code) VALUES ('D7')");
        refused(Fault.MergeConflict.class, () -> sync.run(source, target, "two"), "drug_code_key");
    }

    @Test
    void refusesRowsThatAPolicyHides() {
        source.execute("CREATE ROLE hidden LOGIN", "GRANT USAGE ON SCHEMA m, lockstep TO hidden",
                "GRANT SELECT ON ALL TABLES IN SCHEMA m, lockstep TO hidden",
                "ALTER TABLE m.drug ENABLE ROW LEVEL SECURITY", "CREATE POLICY few ON m.drug USING (id < 10)");
        refused(Fault.AccessRefused.class, () -> sync.dump(source.as("hidden"), "one"), "row-level security");
    }

    @Test
    void refusesABadSyncId() {
        for (String id : List.of("", "../x", "a b", "-x", "x".repeat(81)))
            assertThrows(Fault.InvalidRequest.class, () -> new SyncPaths("master", id));
    }

    @Test
    void aServerThatDoesNotAnswerIsUnavailable() {
        var nowhere = new PostgresDatabase(new PostgresDatabase.Login("127.0.0.1", 1, "x", "x", "x"));
        var start = Instant.now();
        assertThrows(Fault.DatabaseUnavailable.class, nowhere::connect);
        assertTrue(Duration.between(start, Instant.now()).toSeconds() >= 3, "it tried for a while");
    }

    /** STS limits the packed size of a session policy by a rule that it does not tell. */
    @Test
    void aSessionPolicyThatIsTooLargeIsDividedUntilItFits() {
        sync.dump(source, "one");
        var opened = new ConcurrentSkipListSet<Integer>();
        for (var batch : sync.preflight(target, "one").batches()) new Stager(target, 2).stage("master", "one", batch, keys -> {
            if (keys.size() > 2) throw new Fault.PolicyTooLarge("the session policy is too large", null);
            opened.add(keys.size());
            return sync.store;
        });
        TestingSync.publisher(target).publish("master", "one");
        assertEquals(TestingProduct.contents(source), TestingProduct.contents(target));
        assertTrue(opened.last() <= 2, opened::toString);

        source.execute("UPDATE m.drug SET name = name || repeat('x', 300)");
        sync.dump(source, "two");
        var batches = sync.preflight(target, "two").batches();
        var one = assertThrows(Fault.PolicyTooLarge.class, () -> new Stager(target, 1).stage("master", "two", batches.getFirst(), keys -> {
            throw new Fault.PolicyTooLarge("the session policy for " + keys.size() + " objects is too large", null);
        }));
        assertEquals("the session policy for 1 objects is too large", one.getMessage());
    }
}
