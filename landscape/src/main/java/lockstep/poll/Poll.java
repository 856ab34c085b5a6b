package lockstep.poll;

import java.time.Duration;
import java.time.Instant;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** Waits by asking again and again: soon after the start, then every quarter of a second. */
public final class Poll {
    private static final Duration FIRST = Duration.ofMillis(10);
    private static final Duration LONGEST = Duration.ofMillis(250);

    private Poll() {}

    /**
     * @param look  returns the current state
     * @param ended whether a state is the last one
     * @param shown takes each state, including the last one
     * @return the last state, for which {@code ended} does not hold if the deadline has passed
     */
    public static <T> T until(Instant deadline, Supplier<T> look, Predicate<T> ended, Consumer<T> shown) throws InterruptedException {
        for (Duration pause = FIRST;; pause = pause.multipliedBy(2).compareTo(LONGEST) < 0 ? pause.multipliedBy(2) : LONGEST) {
            T state = look.get();
            shown.accept(state);
            if (ended.test(state) || Instant.now().isAfter(deadline)) return state;
            Thread.sleep(pause);
        }
    }

    /** Returns whether the condition became true before the deadline. */
    public static boolean until(Instant deadline, BooleanSupplier condition) throws InterruptedException {
        return until(deadline, condition::getAsBoolean, state -> state, state -> {});
    }

    /**
     * As {@link #until(Instant, BooleanSupplier)}, for callers that nobody interrupts.
     *
     * @throws IllegalStateException when the thread is interrupted
     */
    public static boolean within(Duration timeout, BooleanSupplier condition) {
        try {
            return until(Instant.now().plus(timeout), condition);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting", e);
        }
    }
}
