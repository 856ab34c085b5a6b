package lockstep.clinic;

import java.util.List;

/** Thrown for missing or invalid environment variables. It lists all problems at once. */
public final class ConfigurationFault extends RuntimeException {
    private final List<String> problems;

    ConfigurationFault(List<String> problems) {
        super(String.join("\n", problems));
        this.problems = List.copyOf(problems);
    }

    public List<String> problems() {
        return problems;
    }
}
