package lockstep.project;

import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;

/** Prints the steps of a command and how long each took. Steps may run in parallel. */
public final class Progress {
    private final PrintStream out;
    private final boolean colour;

    public Progress(PrintStream out, boolean colour) {
        this.out = out;
        this.colour = colour;
    }

    /** Runs a step and prints its result and duration. */
    public void step(String title, Runnable work) {
        var begun = Instant.now();
        try {
            work.run();
        } catch (RuntimeException e) {
            line("31", "FAILED", title, begun);
            throw e;
        }
        line("32", "done", title, begun);
    }

    public void note(String text) {
        out.println("        " + text);
    }

    private void line(String code, String word, String title, Instant begun) {
        String padded = String.format("%-6s", word);
        String seconds = String.format(Locale.ROOT, "%6.1f s", Duration.between(begun, Instant.now()).toMillis() / 1000.0);
        out.println((colour ? "\033[" + code + "m" + padded + "\033[0m" : padded) + "  " + seconds + "  " + title);
    }
}
