package lockstep.sync;

import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** The loop by which commands follow executions: looks again and again until what runs has ended, or until a deadline. */
public final class Poll {
    private static final Duration EVERY = Duration.ofMillis(250);

    private Poll() {}

    /**
     * @param look  where it stands now
     * @param ended whether that is the end
     * @param shown takes each state, the last one included
     * @return the last state, which is not the end if the deadline has passed
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
