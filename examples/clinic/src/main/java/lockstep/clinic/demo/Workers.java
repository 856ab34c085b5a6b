package lockstep.clinic.demo;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The background jobs of the demo edition: they delete expired tenants and notify sales of inquiries. */
public final class Workers implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(Workers.class.getName());
    private final ScheduledExecutorService threads = Executors.newScheduledThreadPool(1,
            Thread.ofPlatform().daemon().name("workers-", 0).factory());

    public void expire(Visitors visitors, Duration age, Duration every) {
        repeat("expire tenants", every, () -> {
            var expired = visitors.expire(age);
            if (!expired.isEmpty()) LOG.info("expired " + expired.size() + " tenants");
        });
    }

    public void tell(Inquiries inquiries, Predicate<Inquiries.Inquiry> teller, Duration every) {
        repeat("tell of inquiries", every, () -> {
            while (inquiries.tellOne(teller)) LOG.fine("an inquiry was due");
        });
    }

    private void repeat(String what, Duration every, Runnable work) {
        threads.scheduleWithFixedDelay(() -> {
            try {
                work.run();
            } catch (RuntimeException e) {
                LOG.log(Level.WARNING, "could not " + what + "; trying again in " + every, e);
            }
        }, every.toMillis(), every.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Waits a few seconds for running jobs to finish. */
    @Override
    public void close() {
        threads.shutdown();
        try {
            threads.awaitTermination(5, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
