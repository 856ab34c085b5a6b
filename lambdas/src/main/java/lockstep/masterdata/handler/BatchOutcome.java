package lockstep.masterdata.handler;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.util.List;
import java.util.Optional;
import lockstep.masterdata.engine.Fault;

/** How a batch of a Distributed Map ended: with an answer that nobody needs here, or with an error. */
@JsonIgnoreProperties(ignoreUnknown = true)
record BatchOutcome(Optional<String> error, Optional<String> cause) {
    /** @throws Fault.BatchFailed with the first cause when one failed */
    static void check(String what, List<BatchOutcome> outcomes) {
        var failed = outcomes.stream().filter(o -> o.error().isPresent()).toList();
        if (!failed.isEmpty())
            throw new Fault.BatchFailed(failed.size() + " of " + outcomes.size() + " batches " + what + " failed; the first with "
                    + failed.getFirst().error().orElseThrow() + ": " + Causes.message(failed.getFirst().cause().orElse("")));
    }
}
