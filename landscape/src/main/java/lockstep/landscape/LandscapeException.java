package lockstep.landscape;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** The landscape file cannot be used. The message has one line for each problem, in the order of the file. */
public final class LandscapeException extends RuntimeException {
    private final List<Problem> problems;

    LandscapeException(Path file, List<Problem> problems) {
        super(problems.stream().map(problem -> problem.in(file)).collect(Collectors.joining("\n")));
        this.problems = List.copyOf(problems);
    }

    public List<Problem> problems() {
        return problems;
    }
}
