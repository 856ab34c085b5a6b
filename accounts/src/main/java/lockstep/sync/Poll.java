package lockstep.sync;

import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** Polls a state until it is final or a deadline passes. Commands use it to follow executions. */
public final class Poll {
    private static final Duration EVERY = Duration.ofMillis(250);

    private Poll() {}

    /**
     * @param look  returns the current state
     * @param ended whether a state is final
     * @param shown receives each state, including the last
     * @return the last state, which is not final if the deadline has passed
     */
    public static <T> T until(Instant deadline, Supplier<T> look, Predicate<T> ended, Consumer<T> shown) throws InterruptedException {
        while (true) {
            T state = look.get();
            shown.accept(state);
            if (ended.test(state) || Instant.now().isAfter(deadline)) return state;
            Thread.sleep(EVERY);
        }
    }
}
