package lockstep.images;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.List;

/**
 * The files that {@code docker build} sends as the build context: those of a directory, except the ones its {@code .dockerignore} excludes.
 */
record BuildContext(Path directory, List<Rule> rules) {

    /** A line of {@code .dockerignore}; the last one that matches decides. */
    record Rule(boolean excludes, PathMatcher pattern) {
        /** Reports whether the rule matches the path or a directory that contains it. */
        boolean matches(Path relative) {
            for (Path path = relative; path != null; path = path.getParent()) {
                if (pattern.matches(path)) return true;
            }
            return false;
        }
    }

    static BuildContext of(Path directory) {
        Path file = directory.resolve(".dockerignore");
        var rules = new ArrayList<Rule>();
        try {
            var lines = Files.exists(file) ? Files.readAllLines(file) : List.<String>of();
            for (int i = 0; i < lines.size(); i++) {
                String line = lines.get(i).strip();
                if (line.isEmpty() || line.startsWith("#")) continue;
                if (line.matches(".*(\\*\\*|[{}\\\\]).*"))
                    throw new ImageException(file, i + 1, "lockstep supports only *, ? and [a-z] here, not '" + line + "'");
                boolean excludes = !line.startsWith("!");
                String pattern = line.substring(excludes ? 0 : 1).replaceAll("^/+|/+$", "");
                rules.add(new Rule(excludes, FileSystems.getDefault().getPathMatcher("glob:" + pattern)));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
        return new BuildContext(directory, rules);
    }

    /** Returns the files at or below a path of this context, sorted; empty if the path does not exist. */
    List<Path> filesBelow(Path path) throws IOException {
        if (!Files.exists(path)) return List.of();
        try (var found = Files.walk(path)) {
            return found.filter(file -> !Files.isDirectory(file)).filter(file -> !isIgnored(directory.relativize(file))).sorted().toList();
        }
    }

    private boolean isIgnored(Path relative) {
        boolean ignored = false;
        for (Rule rule : rules) {
            if (rule.matches(relative)) ignored = rule.excludes();
        }
        return ignored;
    }
}
