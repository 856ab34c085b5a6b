package lockstep.landscape;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** Thrown for an invalid landscape or migration file. The message has one line per problem, in file order. */
public final class LandscapeException extends RuntimeException {
    private final List<Problem> problems;

    public LandscapeException(Path file, List<Problem> problems) {
        super(problems.stream().map(problem -> problem.in(file)).collect(Collectors.joining("\n")));
        this.problems = List.copyOf(problems);
    }

    public List<Problem> problems() {
        return problems;
    }
}
