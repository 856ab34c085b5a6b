package lockstep.clinic;

import java.util.List;

/** The environment does not tell what the command needs to know; all that is wrong is listed at once. */
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
