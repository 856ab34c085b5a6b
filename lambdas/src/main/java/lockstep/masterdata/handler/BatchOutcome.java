package lockstep.masterdata.handler;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.util.List;
import java.util.Optional;
import lockstep.masterdata.engine.parts.Causes;
import lockstep.masterdata.engine.Fault;

/** The result of a batch of a Distributed Map: the measurements that {@link JsonFunction} adds to an answer, or an error. */
@JsonIgnoreProperties(ignoreUnknown = true)
record BatchOutcome(Optional<String> error, Optional<String> cause, Optional<Long> millis, Optional<Long> peakMemoryMiB) {
    /** The resources used by all workers: the sum of their times, and the peak memory of one worker. */
    record Workers(int batches, long millis, long peakMemoryMiB) {
        static Workers of(List<BatchOutcome> outcomes) {
            return new Workers(outcomes.size(), outcomes.stream().mapToLong(o -> o.millis().orElse(0L)).sum(),
                    outcomes.stream().mapToLong(o -> o.peakMemoryMiB().orElse(0L)).max().orElse(0));
        }
    }

    /** @throws Fault.BatchFailed with the first cause, when a batch failed */
    static void check(String what, List<BatchOutcome> outcomes) {
        var failed = outcomes.stream().filter(o -> o.error().isPresent()).toList();
        if (!failed.isEmpty())
            throw new Fault.BatchFailed(failed.size() + " of " + outcomes.size() + " batches " + what + " failed; first failure: "
                    + Causes.error(failed.getFirst().error().orElseThrow()) + ": " + Causes.message(failed.getFirst().cause().orElse("")));
    }
}
