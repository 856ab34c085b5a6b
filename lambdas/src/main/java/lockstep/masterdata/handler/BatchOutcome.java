package lockstep.masterdata.handler;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.util.List;
import java.util.Optional;
import lockstep.masterdata.engine.parts.Causes;
import lockstep.masterdata.engine.Fault;

/** How a batch of a Distributed Map ended: with what {@link JsonFunction} adds to an answer, or with an error. */
@JsonIgnoreProperties(ignoreUnknown = true)
record BatchOutcome(Optional<String> error, Optional<String> cause, Optional<Long> millis, Optional<Long> peakMemoryMiB) {
    /** What the workers of all batches needed together: the sum of their times, and the most memory of one. */
    record Workers(int batches, long millis, long peakMemoryMiB) {
        static Workers of(List<BatchOutcome> outcomes) {
            return new Workers(outcomes.size(), outcomes.stream().mapToLong(o -> o.millis().orElse(0L)).sum(),
                    outcomes.stream().mapToLong(o -> o.peakMemoryMiB().orElse(0L)).max().orElse(0));
        }
    }

    /** @throws Fault.BatchFailed with the first cause when one failed */
    static void check(String what, List<BatchOutcome> outcomes) {
        var failed = outcomes.stream().filter(o -> o.error().isPresent()).toList();
        if (!failed.isEmpty())
            throw new Fault.BatchFailed(failed.size() + " of " + outcomes.size() + " batches " + what + " failed; the first with "
                    + Causes.error(failed.getFirst().error().orElseThrow()) + ": " + Causes.message(failed.getFirst().cause().orElse("")));
    }
}
