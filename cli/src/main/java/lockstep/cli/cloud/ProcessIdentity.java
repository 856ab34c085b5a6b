package lockstep.cli.cloud;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** A process that is still recognized after its pid went to another one: pid and start time. */
record ProcessIdentity(long pid, Instant startedAt) {
    /** The kernel counts from boot, and the time of boot is corrected now and then. */
    private static final Duration TOLERANCE = Duration.ofSeconds(2);

    static ProcessIdentity of(ProcessHandle process) {
        return new ProcessIdentity(process.pid(), process.info().startInstant()
                .orElseThrow(() -> new CloudFault("process " + process.pid() + " ended at once")));
    }

    Optional<ProcessHandle> running() {
        return ProcessHandle.of(pid).filter(ProcessHandle::isAlive).filter(process -> process.info().startInstant()
                .map(start -> Duration.between(start, startedAt).abs().compareTo(TOLERANCE) <= 0).orElse(false));
    }
}
