package lockstep.images;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The stages of a Dockerfile, in file order. Only the instructions that the images of this repository need are supported. All others are
 * refused, because an ignored line would make the local image differ from the deployed one.
 */
record Dockerfile(Path file, List<Stage> stages) {
    private static final Set<String> KNOWN = Set.of("RUN", "COPY", "ENV", "WORKDIR", "ENTRYPOINT", "CMD", "USER", "STOPSIGNAL", "VOLUME");
    private static final Pattern FROM = Pattern.compile("(\\S+)(?:\\s+(?i:AS)\\s+(\\S+))?");

    /** @param base an earlier stage or an external image */
    record Stage(String base, Optional<String> name, List<Instruction> instructions) {
        boolean isNamed(String wanted) {
            return name.filter(wanted::equalsIgnoreCase).isPresent();
        }
    }

    /** @param line the number of its first line */
    record Instruction(int line, String keyword, String arguments) {}

    static Dockerfile read(Path file) {
        var stages = new ArrayList<Stage>();
        for (var instruction : instructions(file)) {
            if (instruction.keyword().equals("FROM")) {
                var from = FROM.matcher(instruction.arguments());
                if (!from.matches()) throw new ImageException(file, instruction.line(),
                        "write FROM as 'FROM base' or 'FROM base AS stage', not 'FROM " + instruction.arguments() + "'");
                stages.add(new Stage(from.group(1), Optional.ofNullable(from.group(2)), new ArrayList<>()));
            } else if (!KNOWN.contains(instruction.keyword())) {
                throw new ImageException(file, instruction.line(), "lockstep does not support " + instruction.keyword()
                        + "; it supports FROM, " + String.join(", ", KNOWN.stream().sorted().toList()));
            } else if (stages.isEmpty()) {
                throw new ImageException(file, instruction.line(), instruction.keyword() + " comes before the first FROM");
            } else {
                stages.getLast().instructions().add(instruction);
            }
        }
        if (stages.isEmpty()) throw new ImageException(file, 1, "there is no FROM");
        return new Dockerfile(file, stages);
    }

    /**
     * Returns the instructions that build a stage, starting with those of its base stages. Without a name, the last stage is used, as in
     * docker build.
     */
    List<Instruction> chain(Optional<String> stage) {
        int index = stages.size() - 1;
        if (stage.isPresent()) {
            index = indexOf(stage.get(), stages.size());
            if (index < 0) {
                throw new ImageException(file, 1, "there is no stage '" + stage.get() + "'; write one of "
                        + String.join(", ", stages.stream().flatMap(s -> s.name().stream()).toList()));
            }
        }
        var chain = new ArrayList<Instruction>();
        while (index >= 0) {
            chain.addAll(0, stages.get(index).instructions());
            index = indexOf(stages.get(index).base(), index);
        }
        return chain;
    }

    /** Returns the index of the last stage with this name before an index; -1 if there is none. */
    private int indexOf(String name, int before) {
        for (int i = before - 1; i >= 0; i--) {
            if (stages.get(i).isNamed(name)) return i;
        }
        return -1;
    }

    private static List<Instruction> instructions(Path file) {
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
        var instructions = new ArrayList<Instruction>();
        var text = new StringBuilder();
        int begun = 0;
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            // comments and empty lines do not end an instruction
            if (line.isEmpty() || line.startsWith("#")) continue;
            if (text.isEmpty()) begun = i + 1;
            boolean goesOn = line.endsWith("\\");
            text.append(goesOn ? line.substring(0, line.length() - 1) : line).append(' ');
            if (!goesOn) {
                instructions.add(instruction(file, begun, text.toString().strip()));
                text.setLength(0);
            }
        }
        if (!text.isEmpty()) throw new ImageException(file, begun, "the last line ends with a backslash, but no line follows");
        return instructions;
    }

    private static Instruction instruction(Path file, int line, String text) {
        var words = text.split("\\s+", 2);
        String keyword = words[0].toUpperCase(Locale.ROOT);
        if (words.length == 1) throw new ImageException(file, line, keyword + " has no arguments");
        if (words[1].contains("<<")) throw new ImageException(file, line, "lockstep does not support here-documents");
        return new Instruction(line, keyword, words[1]);
    }
}
