package lockstep.project;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A program that runs for the local cloud. It inherits only the few environment variables that every program needs: no AWS credentials,
 * profiles, endpoints or proxies.
 */
public record Command(List<String> line, Path directory, Map<String, String> environment, Path log, Path input) {
    private static final Path NOTHING = Path.of("/dev/null");
    private static final List<String> INHERITED = List.of("PATH", "LANG", "LC_ALL", "TERM", "USER", "LOGNAME");

    public Command {
        line = List.copyOf(line);
        environment = Map.copyOf(environment);
    }

    public Command(List<String> line, Path directory, Map<String, String> environment, Path log) {
        this(line, directory, environment, log, NOTHING);
    }

    public Command withInput(Path file) {
        return new Command(line, directory, environment, log, file);
    }

    /** Returns the base environment of every program of this cloud. */
    public static Map<String, String> cleanEnvironment(ProjectFiles files) {
        var environment = new HashMap<String, String>();
        INHERITED.forEach(name -> {
            if (System.getenv(name) != null) environment.put(name, System.getenv(name));
        });
        environment.merge("PATH", files.nodeTools().toString(), (path, node) -> node + ":" + path);
        environment.put("JAVA_HOME", System.getProperty("java.home"));
        environment.put("HOME", files.emptyHome().toString());
        environment.put("TMPDIR", files.emptyHome().resolve("tmp").toString());
        environment.put("AWS_CONFIG_FILE", "/dev/null");
        environment.put("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        environment.put("AWS_EC2_METADATA_DISABLED", "true");
        environment.put("NO_COLOR", "1");
        return environment;
    }

    /** Returns the environment without the inherited variables, which differ between terminals. */
    public Map<String, String> ownEnvironment() {
        var own = new TreeMap<>(environment);
        own.keySet().removeAll(INHERITED);
        return own;
    }

    /**
     * Returns a command that runs in its own session, so that Ctrl-C in the terminal does not reach it. The pid of the started process does
     * not change.
     */
    public Command detached(ProjectFiles files) {
        var detached = new ArrayList<>(
                List.of(files.python().toString(), "-c", "import os, sys; os.setsid(); os.execvp(sys.argv[1], sys.argv[1:])"));
        detached.addAll(line);
        return new Command(detached, directory, environment, log, input);
    }

    /** Starts the program without waiting for it. */
    public Process start() {
        var builder = new ProcessBuilder(resolvedLine()).directory(directory.toFile()).redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(input.toFile()))
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.environment().clear();
        builder.environment().putAll(environment);
        try {
            return builder.start();
        } catch (IOException e) {
            throw new UserFault("cannot start " + line.getFirst() + ": " + e.getMessage(), e);
        }
    }

    /** Resolves the program in the PATH of its own environment; Java would use the PATH of this process. */
    private List<String> resolvedLine() {
        if (line.getFirst().contains("/")) return line;
        var found = new ArrayList<>(line);
        Stream.of(environment.getOrDefault("PATH", "").split(":")).map(folder -> Path.of(folder, line.getFirst()))
                .filter(Files::isExecutable).findFirst()
                .ifPresent(program -> found.set(0, program.toString()));
        return found;
    }

    /** Runs the program and waits for it. The log then contains only the output of this run. */
    public void run(String what) {
        try {
            Files.deleteIfExists(log);
            var process = start();
            int exit = process.waitFor();
            if (exit != 0) throw new UserFault(what + " failed (exit code " + exit + ")", log);
        } catch (IOException e) {
            throw new UserFault("cannot write " + log, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UserFault(what + " was interrupted", e);
        }
    }
}
