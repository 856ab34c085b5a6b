package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import lockstep.landscape.Hold;
import lockstep.masterdata.engine.parts.Latest;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.parts.SyncPaths;
import lockstep.masterdata.engine.review.Assessment;
import lockstep.masterdata.engine.review.ChangedRows;
import org.junit.jupiter.api.Test;

/** Tests which syncs are held, and that a held sync can't be restored. */
class AssessmentTest {
    private final TestingServer.TestingDatabase source = TestingProduct.source();
    private final TestingServer.TestingDatabase target = TestingProduct.database();
    private final TestingSync sync = new TestingSync(TestingProduct.DATA_SET);

    private Assessment assessed(Hold hold, String... edits) {
        Manifest one = sync.dump(source, "one");
        source.execute(edits);
        return Assessment.of(sync.store, Optional.of(one), sync.rehearse(source, "two"),
                Map.of("m.drug", hold, "m.interaction", hold, "m.postal", hold));
    }

    private static Assessment.TableChange change(Assessment assessment, String table) {
        return assessment.tables().stream().filter(t -> t.table().equals(table)).findFirst().orElseThrow();
    }

    private Manifest rehearsed() {
        return sync.reader().readForForecast(SyncPaths.rehearsal("master", "two"), sync.dataSet, "two");
    }

    @Test
    void theFirstIsNeverHeld() {
        assertFalse(Assessment.of(sync.store, Optional.empty(), sync.dump(source, "one"), Map.of()).held());
    }

    @Test
    void fewChangesGoOnByThemselvesAndAreCounted() {
        var assessment = assessed(new Hold(20, 10), "UPDATE m.drug SET price = 1 WHERE id IN (3, 4)",
                "DELETE FROM m.interaction WHERE id = 5", "INSERT INTO m.postal VALUES ('0000001', 9, 'new')");
        assertEquals(List.of(), assessment.reasons());
        assertEquals(Optional.of("one"), assessment.against());
        assertEquals(new Assessment.TableChange("m.drug", 500, 500, 2, 2, true), change(assessment, "m.drug"));
        assertEquals(new Assessment.TableChange("m.interaction", 800, 799, 0, 1, true), change(assessment, "m.interaction"));
        assertEquals(new Assessment.TableChange("m.postal", 300, 301, 1, 0, true), change(assessment, "m.postal"));
    }

    @Test
    void anEmptiedTableIsHeldWhateverTheThresholds() {
        var assessment = assessed(new Hold(100, 100), "DELETE FROM m.interaction");
        assertEquals(List.of("m.interaction had 800 rows and would have none"), assessment.reasons());
        assertEquals(new Assessment.TableChange("m.interaction", 800, 0, 0, 800, true), change(assessment, "m.interaction"));
    }

    @Test
    void manyFewerRowsAreHeld() {
        var assessment = assessed(new Hold(100, 10), "DELETE FROM m.interaction WHERE id <= 81");
        assertEquals(List.of("m.interaction would have 719 rows instead of 800: 11 % fewer, above 10 %"), assessment.reasons());
        assertEquals(List.of(), Assessment
                .of(sync.store, Optional.of(sync.readManifest("one")), rehearsed(), Map.of("m.interaction", new Hold(100, 11))).reasons());
    }

    @Test
    void manyChangesAreHeld() {
        var assessment = assessed(new Hold(50, 100), "UPDATE m.drug SET price = price + 1");
        assertEquals(1, assessment.reasons().size(), assessment.reasons()::toString);
        assertTrue(assessment.reasons().getFirst().contains("100 % of m.drug would change"), assessment.reasons()::toString);
        assertEquals(500, change(assessment, "m.drug").came());
    }

    /** The table loses 9 of its 10 rows, all rows change, or 9 rows lose their value: changes of fewer than 10 rows are not held. */
    @Test
    void aHandfulOfRowsOfASmallListIsNotHeld() {
        source.execute("TRUNCATE m.interaction, m.prescription", "DELETE FROM m.drug WHERE id > 10", "UPDATE m.drug SET price = 1");
        var hold = new Hold(0, 0, 0, 10, Optional.empty());
        assertEquals(List.of(), assessed(hold, "UPDATE m.drug SET price = NULL WHERE id < 10",
                "DELETE FROM m.postal WHERE (code, seq) IN (SELECT code, seq FROM m.postal LIMIT 9)").reasons());
        var reasons = Assessment
                .of(sync.store, Optional.of(sync.readManifest("one")), rehearsed(),
                        Map.of("m.drug", new Hold(0, 0, 0, 9, Optional.empty()), "m.postal", new Hold(0, 0, 0, 9, Optional.empty())))
                .reasons();
        assertEquals(List.of("90 % of m.drug would change (9 rows come, 9 go), above 0 %",
                "9 of the 10 rows of m.drug would lose their price: 90 %, above 0 %",
                "m.postal would have 291 rows instead of 300: 3 % fewer, above 0 %",
                "3 % of m.postal would change (0 rows come, 9 go), above 0 %"), reasons);
    }

    @Test
    void aSmallTableThatIsEmptiedIsHeld() {
        source.execute("TRUNCATE m.interaction, m.prescription", "DELETE FROM m.drug WHERE id > 2");
        assertEquals(List.of("m.drug had 2 rows and would have none"),
                assessed(new Hold(100, 100, 100, 1000, Optional.empty()), "DELETE FROM m.drug").reasons());
    }

    @Test
    void aColumnThatLosesItsValuesIsHeld() {
        var assessment = assessed(new Hold(100, 100, 20, Hold.DEFAULT_ROWS, Optional.empty()),
                "UPDATE m.drug SET price = NULL WHERE id <= 150");
        assertEquals(1, assessment.reasons().size(), assessment.reasons()::toString);
        assertEquals("150 of the 500 rows of m.drug would lose their price: 30 %, above 20 %", assessment.reasons().getFirst());
        assertEquals(List.of(), Assessment.of(sync.store, Optional.of(sync.readManifest("one")), rehearsed(),
                Map.of("m.drug", new Hold(100, 100, 30, Hold.DEFAULT_ROWS, Optional.empty()))).reasons());
    }

    @Test
    void newRowsThatHaveNoValueTakeNone() {
        assertEquals(List.of(),
                assessed(new Hold(100, 100, 1, Hold.DEFAULT_ROWS, Optional.empty()),
                        "INSERT INTO m.drug (code) SELECT 'N' || i FROM generate_series(1, 400) i",
                        "UPDATE m.drug SET name = 'x' WHERE id = 1").reasons());
    }

    @Test
    void keysOfAKindThatNobodyKnowsAreHeld() {
        var assessment = assessed(new Hold(100, 100, 100, Hold.DEFAULT_ROWS, Optional.of("[0-9]+(/[0-9])?")),
                "INSERT INTO m.postal VALUES ('ABC', 1, 'new'), ('0000002', 9, 'new')", "UPDATE m.drug SET price = 1 WHERE id = 3");
        assertEquals(List.of("m.postal would have keys such as 'ABC/1', which do not match [0-9]+(/[0-9])?"), assessment.reasons());
    }

    @Test
    void someRowsOfEachKindAreShown() {
        var assessment = assessed(new Hold(100, 100), "UPDATE m.drug SET price = 1 WHERE id IN (3, 4, 5, 6)",
                "DELETE FROM m.interaction WHERE id = 5", "INSERT INTO m.postal VALUES ('0000001', 9, 'new')");
        var drugs = assessment.samples().stream().filter(s -> s.table().equals("m.drug")).toList();
        assertEquals(3, drugs.size(), assessment.samples()::toString);
        assertEquals(Map.of("price", "1"), drugs.getFirst().after().orElseThrow(), drugs::toString);
        assertEquals("price", String.join(" ", drugs.getFirst().before().orElseThrow().keySet()));
        var gone = assessment.samples().stream().filter(s -> s.table().equals("m.interaction")).toList();
        assertEquals(List.of("5"), gone.stream().map(ChangedRows.Sample::key).toList());
        assertEquals(Optional.empty(), gone.getFirst().after());
        var come = assessment.samples().stream().filter(s -> s.table().equals("m.postal")).toList();
        assertEquals(List.of("0000001/9"), come.stream().map(ChangedRows.Sample::key).toList());
        assertEquals(Optional.empty(), come.getFirst().before());
    }

    /** Without deltas, both sides are read completely. */
    @Test
    void rowsOfAnEmptiedTableAreShown() {
        var assessment = assessed(new Hold(100, 100), "DELETE FROM m.interaction");
        assertEquals(3, assessment.samples().size());
        assertTrue(assessment.samples().stream().allMatch(s -> s.after().isEmpty() && s.before().isPresent()));
    }

    @Test
    void whatIsHeldIsRestoredByNobodyAndOnceAdmittedByAll() {
        sync.run(source, target, "one");
        String before = TestingProduct.contents(target);
        source.execute("DELETE FROM m.interaction");
        sync.rehearse(source, "two");
        assertThrows(Fault.ManifestRefused.class, () -> sync.restore(target, "two"));
        assertEquals("one", Latest.read(sync.store, "master").orElseThrow().syncId());
        assertEquals(before, TestingProduct.contents(target));

        sync.admit("two");
        sync.admit("two");
        assertEquals("two", Latest.read(sync.store, "master").orElseThrow().syncId());
        assertEquals(1, Latest.read(sync.store, "master").orElseThrow().earlier().size());
        sync.restore(target, "two");
        assertEquals("0", target.value("SELECT count(*) FROM m.interaction"));
    }

    @Test
    void whatWasAlteredWhileItWasHeldIsNotAdmitted() {
        sync.rehearse(source, "one");
        String sealed = SyncPaths.rehearsal("master", "one");
        byte[] altered = sync.store.objects.get(sealed).clone();
        altered[altered.length / 2] ^= 1;
        sync.store.put(sealed, altered);
        assertThrows(Fault.ManifestRefused.class, () -> sync.admit("one"));
        assertEquals(Optional.empty(), Latest.read(sync.store, "master"));
    }

    @Test
    void whatWasOvertakenWhileItWasHeldIsNotAdmitted() {
        sync.dump(source, "one");
        sync.rehearse(source, "two");
        source.execute("UPDATE m.drug SET price = 1 WHERE id = 3");
        sync.dump(source, "three");
        assertThrows(Fault.OutOfOrder.class, () -> sync.admit("two"));
        assertEquals("three", Latest.read(sync.store, "master").orElseThrow().syncId());
    }
}
