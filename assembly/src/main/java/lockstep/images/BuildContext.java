package lockstep.images;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.List;

/** The files that {@code docker build} would get: those of a directory but for what its {@code .dockerignore} names. */
record BuildContext(Path directory, List<Rule> rules) {

    /** A line of {@code .dockerignore}; the last one that matches decides. */
    record Rule(boolean excludes, PathMatcher pattern) {
        /** Whoever excludes a directory excludes what is in it. */
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
                if (line.matches(".*(\\*\\*|[{}\\\\]).*")) throw new ImageException(file, i + 1, "lockstep understands *, ? and [a-z] here, not '" + line + "'");
                boolean excludes = !line.startsWith("!");
                String pattern = line.substring(excludes ? 0 : 1).replaceAll("^/+|/+$", "");
                rules.add(new Rule(excludes, FileSystems.getDefault().getPathMatcher("glob:" + pattern)));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
        return new BuildContext(directory, rules);
    }

    /** The regular files at or below a path of this context, in order; none where there is none. */
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
