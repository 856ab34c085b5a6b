package lockstep.project;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Thrown when a command cannot do what the user asked. The message is printed in the terminal. */
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

    /** Returns the message, the relevant lines of the log and the path of the log. */
    public String report() {
        if (log.isEmpty()) return getMessage();
        var text = new StringBuilder(getMessage());
        relevantLines(log.get()).forEach(line -> text.append("\n    ").append(line));
        return text.append("\n  the whole log: ").append(log.get()).toString();
    }

    /** Returns the lines that mention a failure, or the last lines if none does. */
    static List<String> relevantLines(Path log) {
        List<String> lines;
        try {
            lines = Files.readString(log).lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
        } catch (IOException e) {
            return List.of("(the log cannot be read: " + e.getMessage() + ")");
        }
        var failures = lines.stream().filter(line -> line.matches("(?i).*(error|fatal|failed|exception|❌|denied|refused).*")).toList();
        var shown = failures.isEmpty() ? lines : failures;
        return shown.subList(Math.max(0, shown.size() - LINES_SHOWN), shown.size());
    }
}
