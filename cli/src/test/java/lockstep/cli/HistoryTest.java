package lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import lockstep.release.History;
import lockstep.release.LogEntry.Action;
import lockstep.release.LogEntry.Result;
import lockstep.release.LogEntry;
import lockstep.release.Parity;
import org.junit.jupiter.api.Test;

class HistoryTest {
    private final List<LogEntry> log = new ArrayList<>();

    private void happened(Action action, String release, Result result) {
        var when = Instant.parse("2026-11-23T00:00:00Z").plusSeconds(log.size());
        log.addFirst(new LogEntry("id" + log.size(), when, "demo", action, Optional.ofNullable(release), Optional.empty(), "anna",
                Optional.empty(), result, Optional.empty(), Optional.empty(), Optional.empty()));
    }

    @Test
    void nothingWasDeployed() {
        assertEquals(Optional.empty(), History.of(log).inForce());
        assertEquals(Optional.empty(), History.of(log).before());
    }

    @Test
    void theWayBackLeadsStepByStep() {
        for (String release : List.of("1", "2", "3")) happened(Action.deploy, release, Result.succeeded);
        assertEquals(Optional.of("2"), History.of(log).before());
        happened(Action.rollback, "2", Result.succeeded);
        assertEquals(Optional.of("2"), History.of(log).inForce());
        assertEquals(Optional.of("1"), History.of(log).before(), "and not forward again");
        happened(Action.deploy, "4", Result.succeeded);
        assertEquals(List.of("1", "2", "4"), History.of(log).releases());
        happened(Action.rollback, "1", Result.succeeded);
        assertEquals(Optional.empty(), History.of(log).before());
    }

    @Test
    void whatFailedAndWhatIsNoReleaseDoesNotCount() {
        happened(Action.deploy, "1", Result.succeeded);
        happened(Action.deploy, "2", Result.started);
        happened(Action.deploy, "2", Result.failed);
        happened(Action.sync, null, Result.succeeded);
        assertEquals(List.of("1"), History.of(log).releases());
        happened(Action.deploy, "1", Result.succeeded);
        assertEquals(List.of("1"), History.of(log).releases(), "the same again is no step");
    }

    /** An earlier release is deployed by name: a rollback then leads to the release before that deployment. */
    @Test
    void anEarlierReleaseThatIsDeployedIsAStepForward() {
        for (String release : List.of("1", "2", "1")) happened(Action.deploy, release, Result.succeeded);
        assertEquals(Optional.of("2"), History.of(log).before());
    }

    @Test
    void theBeginningOfWhatEndedIsLeftOut() {
        happened(Action.deploy, "1", Result.started);
        var begun = log.getFirst();
        log.addFirst(begun.ended(begun.when().plusSeconds(93), Optional.of("no such bucket\nat all")));
        happened(Action.deploy, "2", Result.started);
        var remaining = LogCommand.withoutStarts(log);
        assertEquals(List.of(Result.started, Result.failed), remaining.stream().map(LogEntry::result).toList());
        String table = LogCommand.table(remaining);
        assertTrue(table.contains(
                "2026-11-23T00:01:33Z  demo         deploy    1                        failed         93 s  anna\n                      no "
                        + "such bucket"),
                table);
        assertTrue(!table.contains("at all"), "one line of a cause");
    }

    private LogEntry of(String account, String release, int minute) {
        return new LogEntry("id", Instant.parse("2026-11-23T00:00:00Z").plusSeconds(60L * minute), account, Action.deploy,
                Optional.of(release), Optional.empty(), "anna", Optional.empty(), Result.succeeded, Optional.empty(),
                Optional.empty(), Optional.empty());
    }

    /** Production and demo are deployed in parallel, and one finishes before the other. */
    @Test
    void apartSinceTheFirstOfThemChanged() {
        var now = Instant.parse("2026-11-23T03:00:00Z");
        assertEquals(Duration.ZERO, Parity.of(List.of()).apart(now));
        assertEquals(Duration.ZERO, Parity.of(List.of(of("production", "1", 0))).apart(now), "nobody to compare with");
        var together = List.of(of("demo", "1", 3), of("production", "1", 0), of("production", "2", 60), of("demo", "2", 65));
        assertEquals(Duration.ZERO, Parity.of(together).apart(now));
        var apart = new ArrayList<>(together);
        apart.add(of("production", "3", 120));
        apart.add(of("production", "4", 150));
        assertEquals(Duration.ofMinutes(60), Parity.of(apart).apart(now), "since they came apart, not since the last change");
        assertEquals("{demo=2, production=4}", Parity.of(apart).inForce().toString());
        apart.add(of("demo", "4", 170));
        assertEquals(Duration.ZERO, Parity.of(apart).apart(now));
    }

    @Test
    void keysAreInTheOrderOfTime() {
        happened(Action.deploy, "1", Result.started);
        var begun = log.getFirst();
        var ended = begun.ended(begun.when().plusMillis(1), Optional.empty());
        assertTrue(begun.key().startsWith("log/2026-11-23T000000.000Z-id0") && begun.key().compareTo(ended.key()) < 0,
                begun.key() + " " + ended.key());
    }
}
