package lockstep.project;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The local cloud cannot do what was asked; the message is for the reader of the terminal. */
public final class UserFault extends RuntimeException {
    private static final int LINES_SHOWN = 25;
    private final transient Optional<Path> log;

    public UserFault(String message) {
        this(message, Optional.empty(), null);
    }

    public UserFault(String message, Throwable cause) {
        this(message, Optional.empty(), cause);
    }

    public UserFault(String message, Path log) {
        this(message, Optional.of(log), null);
    }

    private UserFault(String message, Optional<Path> log, Throwable cause) {
        super(message, cause);
        this.log = log;
    }

    /** The message, then the lines of the log that matter and where the rest is. */
    public String report() {
        if (log.isEmpty()) {
            return getMessage();
        }
        var text = new StringBuilder(getMessage());
        relevantLines(log.get()).forEach(line -> text.append("\n    ").append(line));
        return text.append("\n  the whole log: ").append(log.get()).toString();
    }

    /** The lines that speak of a failure; when none does, the last ones. */
    static List<String> relevantLines(Path log) {
        List<String> lines;
        try {
            lines = Files.readString(log).lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
        } catch (IOException e) {
            return List.of("(the log cannot be read: " + e.getMessage() + ")");
        }
        var telling = lines.stream().filter(line -> line.matches("(?i).*(error|fatal|failed|exception|❌|denied|refused).*")).toList();
        var shown = telling.isEmpty() ? lines : telling;
        return shown.subList(Math.max(0, shown.size() - LINES_SHOWN), shown.size());
    }
}
