package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.dump.AwaitedSnapshot;
import lockstep.masterdata.engine.dump.Batch;
import lockstep.masterdata.engine.dump.Released;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.parts.SyncPaths;
import lockstep.masterdata.engine.restore.Publisher.TableResult;
import lockstep.masterdata.engine.restore.ShardReport;
import org.junit.jupiter.api.Test;

/** Tests the steps of a sync against real databases. */
class SyncTest {
    private final TestingSync sync = new TestingSync(TestingProduct.DATA_SET);
    private final TestingDatabase source = TestingProduct.source();
    private final TestingDatabase target = TestingProduct.database();

    @Test
    void carriesEveryRowIntoAnEmptyTarget() {
        var results = sync.run(source, target, "one");
        assertEquals(TestingProduct.contents(source), TestingProduct.contents(target));
        assertEquals(List.of(800L, 500L, 300L), results.stream().map(TableResult::inserted).toList());
        assertEquals("0", target.value("SELECT count(*) FROM m.postal WHERE town = 'local'"));
        assertEquals("0", target.value("SELECT count(secret) FROM m.drug"), "a column that is not allowed stays at home");
        assertEquals("0", target.value("SELECT count(*) FROM pg_class WHERE relname LIKE 'staging%'"), "staging is gone");
    }

    @Test
    void writesOnlyRowsThatDiffer() {
        sync.run(source, target, "one");
        String untouched = target.value("SELECT string_agg(xmin::text, ',' ORDER BY id) FROM m.drug WHERE id NOT IN (3, 9)");
        source.execute("UPDATE m.drug SET price = 50.00 WHERE id = 500", "UPDATE m.drug SET name = 'new', tags = NULL WHERE id = 3",
                "DELETE FROM m.interaction WHERE 9 IN (a, b)", "DELETE FROM m.drug WHERE id = 9",
                "INSERT INTO m.drug (code) VALUES ('fresh')");
        // 50.0 became 50.00, which is equal but different as text, and so it is written
        untouched = target.value("SELECT string_agg(xmin::text, ',' ORDER BY id) FROM m.drug WHERE id NOT IN (3, 9, 500)");
        var drugs = sync.run(source, target, "two").get(1);
        assertEquals(TestingProduct.contents(source), TestingProduct.contents(target));
        assertEquals(List.of(1L, 2L, 1L), List.of(drugs.inserted(), drugs.updated(), drugs.deleted()));
        assertEquals(untouched,
                target.value("SELECT string_agg(xmin::text, ',' ORDER BY id) FROM m.drug WHERE id NOT IN (3, 9, 500, 501)"));
    }

    @Test
    void leavesRowsOutsideTheFilterAlone() {
        target.execute("INSERT INTO m.postal VALUES ('1234567', 0, 'local')");
        sync.run(source, target, "one");
        assertEquals("1", target.value("SELECT count(*) FROM m.postal WHERE town = 'local'"));
    }

    /** Its state is that of the snapshot, but its server counts writes from zero. */
    @Test
    void bringsADatabaseInStepThatWasRestoredFromASnapshot() {
        sync.run(source, target, "one");
        target.execute("INSERT INTO m.prescription (drug, text) VALUES (7, 'a visitor''s')");
        var restored = new TestingDatabase(target.port(), target.name() + "_restored", target.user());
        source.execute("CREATE DATABASE " + restored.name() + " TEMPLATE " + target.name());
        source.execute("UPDATE m.drug SET name = 'newer' WHERE id = 3");
        sync.run(source, target, "two");
        restored.execute("UPDATE m.drug SET name = 'damaged' WHERE id = 11");
        sync.restore(restored, "two");
        assertEquals(TestingProduct.contents(source), TestingProduct.contents(restored));
        assertEquals("1", restored.value("SELECT count(*) FROM m.prescription"));
    }

    @Test
    void dumpsOneStateOfTheSourceWhateverIsWrittenMeanwhile() {
        String before = TestingProduct.contents(source);
        var paths = new SyncPaths("master", "one");
        try (var executor = Executors.newSingleThreadExecutor()) {
            var holder = CompletableFuture.supplyAsync(() -> sync.hold(source, "one"), executor);
            AwaitedSnapshot.await(sync.store, paths, Instant.now().plusSeconds(20));
            for (Batch batch : sync.batches("one")) {
                source.execute("UPDATE m.drug SET name = coalesce(name, '') || '!'", "DELETE FROM m.interaction WHERE id % 3 = 0");
                sync.dumper(source).dump(sync.dataSet, paths, batch);
            }
            new Released("done").write(sync.store, paths);
            holder.join();
        }
        sync.seal("one");
        sync.restore(target, "one");
        assertEquals(before, TestingProduct.contents(target));
    }

    @Test
    void dumpsTheSameRowsUnderTheSameNames() {
        var first = sync.dump(source, "one");
        source.execute("UPDATE m.drug SET secret = 'other', name = name", "VACUUM FULL m.drug");
        var second = sync.dump(source, "two");
        assertEquals(first.tables().stream().map(TableManifest::parts).toList(),
                second.tables().stream().map(TableManifest::parts).toList());
        assertTrue(first.tables().stream().mapToInt(t -> t.parts().size()).sum() > 10, "there are several parts");
    }

    @Test
    void movesSequencesPastWhatWasCopied() {
        sync.run(source, target, "one");
        assertEquals("501", target.value("INSERT INTO m.drug (code) VALUES ('visitor') RETURNING id"));
        assertEquals("801", target.value("INSERT INTO m.interaction (a) VALUES (1) RETURNING id"));
        target.execute("SELECT setval('m.drug_id_seq', 90000)");
        source.execute("INSERT INTO m.drug (code) VALUES ('x')");
        sync.run(source, target, "two");
        assertEquals("90001", target.value("SELECT nextval('m.drug_id_seq')"), "never backwards");
    }

    @Test
    void keepsAndReportsARowThatVisitorsReferTo() {
        sync.run(source, target, "one");
        target.execute("INSERT INTO m.prescription (drug, text) VALUES (7, 'a visitor''s')");
        source.execute("DELETE FROM m.interaction WHERE 7 IN (a, b) OR 8 IN (a, b)", "DELETE FROM m.drug WHERE id IN (7, 8)");
        var drugs = sync.run(source, target, "two").get(1);
        assertEquals(List.of(1L, 1L, 498L), List.of(drugs.deleted(), drugs.kept(), drugs.rows()));
        assertEquals("7", target.value("SELECT drug FROM m.prescription"));
        assertEquals(1, ShardReport.read(target, sync.dataSet).tables().get(1).kept());
        assertEquals(ShardReport.read(source, sync.dataSet).tables().get(1).digest(),
                ShardReport.read(target, sync.dataSet).tables().get(1).digest());
        target.execute("DELETE FROM m.prescription");
        source.execute("INSERT INTO m.drug (code) VALUES ('again')");
        assertEquals(0, sync.run(source, target, "three").get(1).kept(), "freed, it goes");
        assertEquals(TestingProduct.contents(source), TestingProduct.contents(target));
    }

    @Test
    void keepsAParentOfAKeptRow() {
        target.execute("CREATE TABLE m.remark (interaction bigint REFERENCES m.interaction ON DELETE CASCADE)");
        sync.run(source, target, "one");
        target.execute("INSERT INTO m.remark SELECT id FROM m.interaction WHERE a = 7 LIMIT 1");
        source.execute("DELETE FROM m.interaction WHERE 7 IN (a, b)", "DELETE FROM m.drug WHERE id = 7");
        var results = sync.run(source, target, "two");
        assertEquals(List.of(1L, 1L), List.of(results.get(0).kept(), results.get(1).kept()));
        assertEquals("1", target.value("SELECT count(*) FROM m.remark"), "nothing cascades");
    }

    @Test
    void givesAUniqueValueOnToAnotherRow() {
        sync.run(source, target, "one");
        source.execute("DELETE FROM m.interaction WHERE 11 IN (a, b)", "DELETE FROM m.drug WHERE id = 11",
                "INSERT INTO m.drug (code) VALUES ('D11')");
        sync.run(source, target, "two");
        assertEquals(TestingProduct.contents(source), TestingProduct.contents(target));
    }

    @Test
    void stagesOnlyTablesThatDiffer() {
        sync.run(source, target, "one");
        source.execute("UPDATE m.postal SET town = 'moved' WHERE seq = 1 AND town <> 'local'");
        sync.dump(source, "two");
        assertEquals(300, sync.preflight(target, "two").rows());
        sync.restore(target, "two");
        assertEquals(TestingProduct.contents(source), TestingProduct.contents(target));
        sync.dump(source, "three");
        assertEquals(List.of(), sync.preflight(target, "three").batches());
        sync.restore(target, "three");
        assertEquals("three", target.value("SELECT sync_id FROM lockstep.applied"));
    }

    @Test
    void notDecidedAgainWhenPreflightIsTriedAgain() {
        sync.dump(source, "one");
        var plan = sync.preflight(target, "one");
        target.execute("INSERT INTO m.drug (code) VALUES ('in between')");
        assertEquals(plan, sync.preflight(target, "one"));
    }

    @Test
    void aRowMayBeginToReferToANewOneOfItsTable() {
        for (var database : List.of(source, target))
            database.execute("ALTER TABLE m.interaction ADD CONSTRAINT self FOREIGN KEY (b) REFERENCES m.interaction (id)  NOT VALID");
        source.execute("UPDATE m.interaction SET b = NULL");
        sync.run(source, target, "one");
        source.execute("INSERT INTO m.interaction (id, a) VALUES (5000, 1)", "UPDATE m.interaction SET b = NULL WHERE id = 1",
                "INSERT INTO m.drug (id, code) OVERRIDING SYSTEM VALUE VALUES (5000, 'five')",
                "UPDATE m.interaction SET b = 5000 WHERE id IN (1, 5000)");
        sync.run(source, target, "two");
        assertEquals(TestingProduct.contents(source), TestingProduct.contents(target));
        // each row refers to itself or the other, so that they can only be deleted together
        source.execute("UPDATE m.interaction SET b = 1 WHERE id = 5000");
        sync.run(source, target, "three");
        source.execute("DELETE FROM m.interaction WHERE id IN (1, 5000)");
        assertEquals(2, sync.run(source, target, "four").getFirst().deleted());
        assertEquals(TestingProduct.contents(source), TestingProduct.contents(target));
    }

    @Test
    void aValueThatAnUpdateFreesGoesToANewRow() {
        sync.run(source, target, "one");
        source.execute("UPDATE m.drug SET code = 'renamed' WHERE id = 20", "INSERT INTO m.drug (code) VALUES ('D20')");
        sync.run(source, target, "two");
        assertEquals(TestingProduct.contents(source), TestingProduct.contents(target));
    }

    @Test
    void clearsAwayStagingTablesThatNothingWasStagedInto() {
        sync.dump(source, "one");
        sync.preflight(target, "one");
        sync.run(source, target, "two");
        source.execute("UPDATE m.drug SET name = 'z' WHERE id = 1");
        sync.run(source, target, "three");
        assertEquals("0", target.value("SELECT count(*) FROM pg_class WHERE relname LIKE 'staging%'"));
    }

    @Test
    void aTableOfNothingButItsKeyIsKeptInStep() {
        var keys = new TestingSync(
                new DataSet("keys", "clinic-1", List.of(new Table("m.pair", List.of("a", "b"), List.of("a", "b"), Optional.empty()))));
        for (var database : List.of(source, target)) database.execute("CREATE TABLE m.pair (a int, b int, PRIMARY KEY (a, b))");
        source.execute("INSERT INTO m.pair SELECT i, i * 2 FROM generate_series(1, 50) i");
        keys.run(source, target, "one");
        source.execute("DELETE FROM m.pair WHERE a = 7", "INSERT INTO m.pair VALUES (100, 1)");
        var pair = keys.run(source, target, "two").getFirst();
        assertEquals(List.of(1L, 0L, 1L), List.of(pair.inserted(), pair.updated(), pair.deleted()));
    }

    @Test
    void aRepeatChangesNothing() {
        sync.run(source, target, "one");
        assertEquals(List.of(), sync.preflight(target, "one").batches());
        var again = sync.restore(target, "one");
        assertEquals(0, again.stream().mapToLong(t -> t.inserted() + t.updated() + t.deleted()).sum());
    }

    @Test
    void refusesAnOlderSnapshotAfterANewer() {
        sync.dump(source, "one");
        source.execute("UPDATE m.drug SET price = 1 WHERE id = 1");
        sync.run(source, target, "two");
        var refused = assertThrows(Fault.OutOfOrder.class, () -> sync.restore(target, "one"));
        assertTrue(refused.getMessage().contains("older than that of sync two"), refused.getMessage());
        assertEquals(TestingProduct.contents(source), TestingProduct.contents(target));
    }

    @Test
    void twoSyncsStagedSideBySideAreNotMixed() {
        sync.dump(source, "one");
        source.execute("UPDATE m.drug SET price = price + 1", "DELETE FROM m.interaction WHERE id < 100");
        sync.dump(source, "two");
        sync.stage(target, "one");
        sync.stage(target, "two");
        TestingSync.publisher(target).publish("master", "two");
        assertThrows(Fault.OutOfOrder.class, () -> TestingSync.publisher(target).publish("master", "one"));
        assertEquals(TestingProduct.contents(source), TestingProduct.contents(target));
        sync.run(source, target, "three");
        assertEquals("0", target.value("SELECT count(*) FROM pg_class WHERE relname LIKE 'staging%'"),
                "what was overtaken is cleared away");
    }

    @Test
    void stagesAPartOnceHoweverOftenItIsTried() {
        sync.dump(source, "one");
        sync.stage(target, "one");
        sync.stage(target, "one");
        TestingSync.publisher(target).publish("master", "one");
        assertEquals(TestingProduct.contents(source), TestingProduct.contents(target));
    }

    @Test
    void undoesAMergeWhoseResultIsNotTheManifests() {
        sync.run(source, target, "one");
        String before = TestingProduct.contents(target);
        target.execute("""
                CREATE FUNCTION m.meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := 'meddled'; RETURN NEW; END $$""",
                "CREATE TRIGGER meddle BEFORE UPDATE ON m.drug FOR EACH ROW EXECUTE FUNCTION m.meddle()");
        source.execute("UPDATE m.drug SET price = 99 WHERE id = 4");
        var failed = assertThrows(Fault.VerificationFailed.class, () -> sync.run(source, target, "two"));
        assertTrue(failed.getMessage().contains("m.drug has 500 rows with digest"), failed.getMessage());
        assertEquals(before, TestingProduct.contents(target));
        assertEquals("one", target.value("SELECT sync_id FROM lockstep.applied"));
    }

    @Test
    void repairsWhatWasEditedByHand() {
        sync.run(source, target, "one");
        target.execute("UPDATE m.drug SET name = 'edited' WHERE id < 5", "DELETE FROM m.interaction WHERE id > 700",
                "INSERT INTO m.postal VALUES ('0000000', 9, 'added')");
        assertNotEquals(TestingProduct.contents(source), TestingProduct.contents(target));
        sync.run(source, target, "two");
        assertEquals(TestingProduct.contents(source), TestingProduct.contents(target));
    }

    @Test
    void anEmptiedTableIsEmptied() {
        sync.run(source, target, "one");
        source.execute("TRUNCATE m.interaction, m.prescription");
        sync.run(source, target, "two");
        assertEquals("0", target.value("SELECT count(*) FROM m.interaction"));
    }

    @Test
    void readersNeverWaitAndNeverSeeAMixture() throws Exception {
        sync.run(source, target, "one");
        source.execute("UPDATE m.drug SET price = -1", "UPDATE m.interaction SET note = 'second'");
        sync.dump(source, "two");
        sync.stage(target, "two");
        var answers = new java.util.concurrent.ConcurrentSkipListSet<String>();
        var stop = new java.util.concurrent.atomic.AtomicBoolean();
        var reader = Thread.ofPlatform().start(() -> target.run(connection -> {
            try (var statement = connection.createStatement()) {
                statement.execute("SET lock_timeout = '1ms'");
                while (!stop.get()) {
                    try (var row = statement.executeQuery(
                            "SELECT (SELECT count(*) FROM m.drug WHERE price = -1) || ' ' || (SELECT count(*) FROM m.interaction WHERE "
                                    + "note = 'second')")) {
                        row.next();
                        answers.add(row.getString(1));
                    }
                }
            }
            return null;
        }));
        Thread.sleep(50);
        TestingSync.publisher(target).publish("master", "two");
        Thread.sleep(50);
        stop.set(true);
        reader.join();
        assertEquals(List.of("0 0", "500 800"), List.copyOf(answers));
    }

    @Test
    void theReportTellsTheSameOfSourceAndTarget() {
        sync.run(source, target, "one");
        assertEquals(ShardReport.read(source, sync.dataSet).tables(), ShardReport.read(target, sync.dataSet).tables());
        assertEquals("one", ShardReport.read(target, sync.dataSet).applied().orElseThrow().syncId());
        assertFalse(ShardReport.read(source, sync.dataSet).applied().isPresent());
    }
}
