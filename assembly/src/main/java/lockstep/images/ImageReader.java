package lockstep.images;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import lockstep.images.Dockerfile.Instruction;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** Evaluates the instructions of a stage like docker build. */
final class ImageReader {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Pattern VARIABLE = Pattern
            .compile("\\G\\s*([A-Za-z_][A-Za-z0-9_]*)=(\"[^\"\\\\$]*\"|'[^']*'|[^\\s\"'\\\\$]*)(?=\\s|$)");

    private final Path context;
    private final Path dockerfile;
    private final Map<String, Path> files = new TreeMap<>();
    private final Map<String, String> environment = new TreeMap<>();
    private final List<String> volumes = new ArrayList<>();
    private Path workingDirectory = Path.of("/");
    private List<String> entrypoint = List.of();
    private List<String> command = List.of();
    private String user = "";
    private String stopSignal = "SIGTERM";

    ImageReader(Path context) {
        this.context = context.toAbsolutePath().normalize();
        dockerfile = this.context.resolve("Dockerfile");
    }

    Image read(Optional<String> stage) {
        Dockerfile.read(dockerfile).chain(stage).forEach(this::follow);
        return new Image(files, environment, workingDirectory.toString(), entrypoint, command, user, stopSignal, volumes);
    }

    private void follow(Instruction instruction) {
        switch (instruction.keyword()) {
            case "RUN" -> {}
            case "COPY" -> copy(instruction);
            case "ENV" -> environment(instruction);
            case "WORKDIR" -> workingDirectory = absolute(plain(instruction));
            case "ENTRYPOINT" -> {
                entrypoint = array(instruction);
                command = List.of(); // the CMD of the base belongs to the ENTRYPOINT of the base
            }
            case "CMD" -> command = array(instruction);
            case "USER" -> user = plain(instruction);
            case "STOPSIGNAL" -> stopSignal = plain(instruction);
            case "VOLUME" -> (instruction.arguments().startsWith("[") ? array(instruction) : List.of(plain(instruction).split("\\s+")))
                    .forEach(volume -> volumes.add(absolute(volume).toString()));
            default -> throw new IllegalStateException(instruction.keyword());
        }
    }

    private void copy(Instruction instruction) {
        var words = new ArrayList<>(List.of(plain(instruction).split("\\s+")));
        // all local files belong to one user
        words.removeIf(word -> word.startsWith("--chown="));
        words.stream().filter(word -> word.startsWith("--")).findFirst().ifPresent(flag -> {
            throw wrong(instruction, "lockstep does not support COPY with " + flag);
        });
        if (words.size() < 2) throw wrong(instruction, "COPY needs a source and a destination");
        String destination = words.removeLast();
        boolean intoDirectory = destination.endsWith("/") || destination.equals(".") || words.size() > 1;
        for (String source : words) {
            try {
                copy(instruction, source, absolute(destination), intoDirectory);
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read the context " + context, e);
            }
        }
    }

    private void copy(Instruction instruction, String source, Path destination, boolean intoDirectory) throws IOException {
        var build = BuildContext.of(context);
        boolean found = false;
        for (Path match : matches(instruction, source)) {
            boolean directory = Files.isDirectory(match);
            for (Path file : build.filesBelow(match)) {
                if (Files.isSymbolicLink(file))
                    throw wrong(instruction, context.relativize(file) + " is a symbolic link, which lockstep does not copy");
                // COPY copies the contents of a directory, not the directory itself
                Path target = directory ? destination.resolve(match.relativize(file))
                        : intoDirectory ? destination.resolve(file.getFileName()) : destination;
                files.put(target.normalize().toString(), file);
                found = true;
            }
        }
        if (!found) throw wrong(instruction, "there is no file " + source + " in the context");
    }

    /** Returns the files and directories of the context that a source matches. A wildcard matches within one directory. */
    private List<Path> matches(Instruction instruction, String source) throws IOException {
        String relative = source.replaceAll("^/+", "");
        int wildcard = relative.replaceAll("[*?\\[].*", "").length();
        if (wildcard == relative.length()) {
            Path path = context.resolve(relative).normalize();
            if (!path.startsWith(context)) throw wrong(instruction, source + " is outside the context");
            return List.of(path);
        }
        if (relative.indexOf('/', wildcard) >= 0)
            throw wrong(instruction, "lockstep supports a wildcard only in the last part of a path, not '" + source + "'");
        Path parent = context.resolve(relative.substring(0, wildcard)).normalize();
        Path folder = relative.substring(0, wildcard).endsWith("/") || wildcard == 0 ? parent : parent.getParent();
        if (!Files.isDirectory(folder)) return List.of();
        var pattern = FileSystems.getDefault().getPathMatcher("glob:" + relative.substring(relative.lastIndexOf('/') + 1));
        try (var entries = Files.list(folder)) {
            return entries.filter(entry -> pattern.matches(entry.getFileName())).sorted().toList();
        }
    }

    private void environment(Instruction instruction) {
        var variable = VARIABLE.matcher(instruction.arguments());
        int end = 0;
        while (variable.find()) {
            String value = variable.group(2);
            environment.put(variable.group(1), value.matches("(?s)[\"'].*") ? value.substring(1, value.length() - 1) : value);
            end = variable.end();
        }
        if (end < instruction.arguments().length()) {
            throw wrong(instruction, "write ENV as NAME=value or NAME=\"a value\", without variables or backslashes, not '"
                    + instruction.arguments().substring(end).strip() + "'");
        }
    }

    private List<String> array(Instruction instruction) {
        try {
            return JSON.readValue(instruction.arguments(), new TypeReference<List<String>>() {});
        } catch (JacksonException e) {
            throw wrong(instruction, "write " + instruction.keyword() + " in JSON form, as [\"./start\"], not " + instruction.arguments());
        }
    }

    private String plain(Instruction instruction) {
        if (instruction.arguments().matches(".*[$\"'].*"))
            throw wrong(instruction, "lockstep does not support variables or quotes in " + instruction.keyword());
        return instruction.arguments();
    }

    private Path absolute(String path) {
        return workingDirectory.resolve(path).normalize();
    }

    private ImageException wrong(Instruction instruction, String message) {
        return new ImageException(dockerfile, instruction.line(), message);
    }
}
