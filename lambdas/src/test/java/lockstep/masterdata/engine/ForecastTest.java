package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.parts.Latest;
import lockstep.masterdata.engine.parts.SyncPaths;
import lockstep.masterdata.engine.restore.Forecast;
import lockstep.masterdata.engine.restore.Preflight.Mode;
import lockstep.masterdata.engine.restore.Preflight;
import lockstep.masterdata.engine.restore.Publisher.TableResult;
import lockstep.masterdata.engine.restore.Stager;
import org.junit.jupiter.api.Test;

/** Tests that a forecast equals the actual changes, and changes nothing itself. */
class ForecastTest {
    private final TestingSync sync = new TestingSync(TestingProduct.DATA_SET);
    private final TestingDatabase source = TestingProduct.source();
    private final TestingDatabase target = TestingProduct.database();

    private List<TableResult> forecast(String syncId, Mode mode) {
        sync.stage(target, syncId, mode);
        String before = TestingProduct.contents(target);
        var forecast = new Forecast(target).compute("master", syncId);
        assertEquals(before, TestingProduct.contents(target));
        assertEquals("0",
                target.value("SELECT count(*) FROM pg_class WHERE relnamespace = 'lockstep'::regnamespace AND relname LIKE 'staging\\_%'"));
        assertEquals("0", target.value("SELECT count(*) FROM lockstep.staged_part"));
        return forecast;
    }

    private static Map<String, String> counts(List<TableResult> tables) {
        return tables.stream().collect(
                Collectors.toMap(TableResult::name, t -> "+" + t.inserted() + " ~" + t.updated() + " -" + t.deleted() + " =" + t.rows()));
    }

    /** Forecasts, restores, and compares. */
    private void assertForecast(String syncId, Mode mode, boolean read) {
        var forecast = forecast(syncId, mode);
        assertEquals(counts(sync.restore(target, syncId, mode)), counts(forecast));
        assertEquals(read, sync.plan.tables().stream().anyMatch(Preflight.Choice::read), "whether the forecast made the tables unknown");
    }

    @Test
    void intoEmptyTables() {
        sync.dump(source, "one");
        assertForecast("one", Mode.SYNC, true);
    }

    @Test
    void alongADeltaAndBack() {
        sync.run(source, target, "one");
        source.execute("UPDATE m.drug SET name = 'new' WHERE id % 50 = 3", "DELETE FROM m.interaction WHERE id % 100 = 7",
                "INSERT INTO m.postal SELECT 'new' || i, 1, 'town' FROM generate_series(1, 5) i");
        sync.dump(source, "two");
        assertForecast("two", Mode.SYNC, false);
        assertTrue(sync.plan.tables().stream().anyMatch(t -> t.deltas() > 0));
        assertForecast("one", Mode.ROLLBACK, false);
    }

    @Test
    void whatWasEditedByHandIsCounted() {
        sync.run(source, target, "one");
        target.execute("UPDATE m.drug SET name = 'edited' WHERE id = 4", "DELETE FROM m.postal WHERE code = '0000007'",
                "SELECT pg_stat_force_next_flush()");
        source.execute("UPDATE m.drug SET price = 99 WHERE id = 5");
        sync.dump(source, "two");
        assertForecast("two", Mode.REPAIR, true);
    }

    @Test
    void rowsThatStayAreTold() {
        source.execute("INSERT INTO m.drug (code, name) VALUES ('X', 'gone soon')");
        sync.run(source, target, "one");
        target.execute("INSERT INTO m.prescription (drug, text) SELECT id, 'mine' FROM m.drug WHERE code = 'X'");
        source.execute("DELETE FROM m.drug WHERE code = 'X'");
        sync.dump(source, "two");
        var drug = forecast("two", Mode.SYNC).stream().filter(t -> t.name().equals("m.drug")).findFirst().orElseThrow();
        assertEquals(List.of(0L, 1L), List.of(drug.deleted(), drug.kept()));
        assertEquals(1, sync.restore(target, "two").stream().mapToLong(TableResult::kept).sum());
    }

    @Test
    void ofTheSyncInForceNothing() {
        sync.run(source, target, "one");
        assertTrue(forecast("one", Mode.ROLLBACK).stream().allMatch(t -> t.inserted() + t.updated() + t.deleted() == 0));
        assertEquals("one", target.value("SELECT sync_id FROM lockstep.sync"), "it must stay known what is in force");
    }

    @Test
    void notWithoutItsParts() {
        sync.dump(source, "one");
        sync.preflight(target, "one");
        assertThrows(Fault.BatchFailed.class, () -> new Forecast(target).compute("master", "one"));
        assertThrows(Fault.InvalidRequest.class, () -> new Forecast(target).compute("master", "other"));
    }

    @Test
    void aRehearsedManifestServesForecastsAlone() {
        sync.run(source, target, "one");
        source.execute("UPDATE m.drug SET name = 'rehearsed' WHERE id = 9");
        var manifest = sync.rehearse(source, "try");
        assertEquals("one", Latest.read(sync.store, "master").orElseThrow().syncId());
        String key = SyncPaths.rehearsal("master", "try");
        assertThrows(Fault.ManifestRefused.class, () -> sync.reader().read(key, sync.dataSet, "try"));
        assertThrows(Fault.ManifestRefused.class, () -> sync.readManifest("try"));
        assertEquals(manifest, sync.reader().readForForecast(key, sync.dataSet, "try"));
        assertThrows(Fault.ManifestRefused.class, () -> sync.reader().readForForecast(key, sync.dataSet, "one"));
        var plan = new Preflight(target).prepare(manifest, Mode.SYNC);
        for (var batch : plan.batches()) new Stager(target, 1).stage("master", "try", batch, keys -> sync.store);
        assertEquals(1, new Forecast(target).compute("master", "try").stream().mapToLong(TableResult::updated).sum());
        assertFalse("try".equals(target.value("SELECT string_agg(sync_id, ',') FROM lockstep.sync")));
        sync.run(source, target, "two");
        assertEquals(1, sync.plan.tables().stream().mapToInt(Preflight.Choice::deltas).sum(),
                "the next one still leads from the one in force");
    }
}
