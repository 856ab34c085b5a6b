package lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import lockstep.masterdata.check.SqlCheck.Sums;
import lockstep.masterdata.check.SqlCheck.TableSum;
import lockstep.sync.ShardReporter.Checked;
import lockstep.sync.Verified.Verdict;
import lockstep.sync.Verified;
import org.junit.jupiter.api.Test;

class VerifiedTest {
    private static final TableSum DRUG = new TableSum("master.drug", 2, "1 2");
    private static final TableSum DISEASE = new TableSum("master.disease", 3, "3 4");

    private static Checked found(TableSum... sums) {
        return new Checked(Optional.of(new Sums(Optional.of("one"), List.of(sums))), Optional.empty());
    }

    private static Verified of(Checked shard, Checked source) {
        return new Verified("clinic-1", "master", List.of(Verified.check("demo", "demo-1", shard, source)));
    }

    private static Verdict verdict(Checked shard, Checked source) {
        return of(shard, source).shards().getFirst().verdict();
    }

    @Test
    void equalIsOnlyWhatWasReadAndIsTheSame() {
        assertEquals(Verdict.equal, verdict(found(DRUG, DISEASE), found(DRUG, DISEASE)));
        assertEquals(Verdict.different, verdict(found(DRUG, new TableSum("master.disease", 3, "3 5")), found(DRUG, DISEASE)));
        assertEquals(Verdict.different, verdict(found(new TableSum("master.drug", 1, "1 2")), found(DRUG)));
    }

    @Test
    void whatCouldNotBeCheckedIsNeverEqual() {
        var silent = new Checked(Optional.empty(), Optional.of("connection refused"));
        assertEquals(Verdict.unchecked, verdict(silent, found(DRUG)));
        assertEquals(Verdict.unchecked, verdict(found(DRUG), silent));
        assertEquals(Verdict.unchecked, verdict(found(), found()));
        assertEquals(Verdict.unchecked, verdict(found(DRUG), found(DRUG, DISEASE)));
        assertTrue(VerifyCommand.table(of(found(DRUG), silent)).contains("the source could not be checked: connection refused"));
    }

    @Test
    void tellsWhichTablesDiffer() {
        String told = VerifyCommand.table(of(found(DRUG, new TableSum("master.disease", 3, "3 5")), found(DRUG, DISEASE)));
        assertTrue(told.contains("master.disease: 3 rows, the source has 3, some differ"), told);
        assertTrue(!told.contains("master.drug"), told);
    }
}
