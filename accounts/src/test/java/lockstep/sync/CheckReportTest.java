package lockstep.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.schema.Finding.Kind;
import lockstep.masterdata.schema.Finding.Severity;
import lockstep.masterdata.schema.Finding;
import lockstep.masterdata.schema.SchemaDescription.ColumnDescription;
import lockstep.masterdata.schema.SchemaDescription.TableDescription;
import lockstep.masterdata.schema.SchemaDescription.UniqueIndex;
import lockstep.masterdata.schema.SchemaDescription;
import lockstep.masterdata.schema.ShardInspection;
import lockstep.sync.CheckReport.Asked;
import lockstep.sync.CheckReport.Unchecked;
import org.junit.jupiter.api.Test;

/** Tests how the findings of several shards are merged into one report. */
class CheckReportTest {
    private static final DataSet DATA_SET = new DataSet("master", "clinic-1",
            List.of(new Table("m.drug", List.of("id"), List.of("id"), Optional.empty())));

    private static Asked asked(String shard, boolean source, String type, Finding... findings) {
        var table = new TableDescription("m.drug", "table", false, false,
                List.of(new ColumnDescription("id", type, true, false, false, Optional.empty())),
                List.of(new UniqueIndex("drug_pkey", List.of("id"), List.of(""), Optional.empty(), true)), List.of(), List.of(), List.of());
        return new Asked(shard, source,
                Optional.of(new ShardInspection.Answer(new SchemaDescription(true, List.of(table), Map.of()), List.of(findings), Map.of())),
                Optional.empty());
    }

    private static Finding lacks(String writer) {
        return new Finding(Severity.error, Kind.access, "m.drug", "the sync's writer lacks DELETE on m.drug",
                "GRANT DELETE ON m.drug TO " + writer);
    }

    @Test
    void nothingFound() {
        var report = CheckReport.of(DATA_SET, List.of(asked("clinic-1", true, "integer"), asked("demo-1", false, "integer")));
        assertEquals("Nothing was found in clinic-1, demo-1.", report.table());
        assertFalse(report.has(Severity.error));
    }

    @Test
    void aFindingOfSeveralShardsIsPrintedOnce() {
        var report = CheckReport.of(DATA_SET, List.of(asked("clinic-1", true, "integer"),
                asked("demo-1", false, "bigint", lacks("demo_1_writer")), asked("qa-1", false, "bigint", lacks("qa_1_writer"))));
        assertEquals("""
                severity  shards        where      what
                error     demo-1, qa-1  m.drug     the sync's writer lacks DELETE on m.drug
                          fix for demo-1: GRANT DELETE ON m.drug TO demo_1_writer
                          fix for qa-1: GRANT DELETE ON m.drug TO qa_1_writer
                error     demo-1, qa-1  m.drug.id  column m.drug.id is bigint here and integer at the source
                          fix: ALTER TABLE m.drug ALTER COLUMN id TYPE integer

                2 errors and 0 warnings in clinic-1, demo-1, qa-1.""", report.table());
        assertTrue(report.has(Severity.error));
    }

    @Test
    void whatDidNotAnswerIsNotCalledClean() {
        var away = new Asked("demo-1", false, Optional.empty(), Optional.of("the database can't be reached"));
        var report = CheckReport.of(DATA_SET, List.of(asked("clinic-1", true, "integer"), away));
        assertEquals(List.of(new Unchecked("demo-1", "the database can't be reached")), report.unchecked());
        assertTrue(
                report.table().contains(
                        "unchecked demo-1: the database can't be reached\nNothing was found in clinic-1. 1 shard could not be checked."),
                report.table());
        var alone = CheckReport.of(DATA_SET, List.of(new Asked("clinic-1", true, Optional.empty(), Optional.of("no")),
                asked("demo-1", false, "integer", lacks("demo_1_writer"))));
        assertEquals(2, alone.unchecked().size());
        assertTrue(alone.has(Severity.error));
    }

    @Test
    void reportsOfSeveralDataSets() {
        var one = CheckReport.of(DATA_SET,
                List.of(asked("clinic-1", true, "integer"), asked("demo-1", false, "integer", lacks("demo_1_writer"))));
        var two = CheckReport.of(DATA_SET,
                List.of(asked("clinic-1", true, "integer"), new Asked("demo-1", false, Optional.empty(), Optional.of("no"))));
        var all = CheckReport.all(List.of(one, two));
        assertEquals(List.of("clinic-1"), all.checked());
        assertEquals(1, all.unchecked().size());
        assertEquals(1, all.findings().size());
    }
}
