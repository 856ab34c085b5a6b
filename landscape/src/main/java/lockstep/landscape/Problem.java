package lockstep.landscape;

import java.nio.file.Path;

/**
 * One mistake in a landscape or migration file.
 *
 * @param line    counted from 1; 0 if the problem concerns the whole file
 * @param path    the place in the file, such as {@code accounts.demo.id}; empty if the problem concerns the whole file
 * @param message what is wrong, with the value given
 * @param fix     what to write instead
 */
public record Problem(int line, String path, String message, String fix) {
    /** The problem in one line, such as {@code lockstep.yaml:12: accounts.demo.id: what is wrong; what to write}. */
    public String in(Path file) {
        return file + (line > 0 ? ":" + line : "") + ": " + (path.isEmpty() ? "" : path + ": ") + message + "; " + fix;
    }
}
