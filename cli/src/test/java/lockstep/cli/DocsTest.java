package lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import lockstep.project.ProjectFiles;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/**
 * Checks that everything that Markdown pages name exists: files, anchors, classes, methods, tests, commands and options. docs/commands.md
 * is generated from the command line; {@code -Ddocs.update=true} updates it.
 */
class DocsTest {
    private static final Path PROJECT = ProjectFiles.ofLauncher().project();
    private static final Path COMMANDS = Path.of("docs", "commands.md");
    private static final Path FAULTS = Path.of("docs", "faults.md");
    /** Pages generated from measurements, which contain statements and names of steps. */
    private static final Path RESULTS = Path.of("bench", "results");
    private static final Set<String> NOT_OURS = Set.of(".git", ".lockstep", "node_modules", "target", "__pycache__");
    private static final long LARGEST_SOURCE = 2_000_000;

    /** Commands of the launcher, which are not in the model of the command line. */
    private static final Set<String> OF_LAUNCHER = Set.of("test", "format", "build", "compile", "synth-app");
    /** Names in backticks that belong to AWS, PostgreSQL, HTTP and other software, or are examples of values. */
    private static final Set<String> FOREIGN_NAMES = Set.of(
            "Abc", "Accept", "Bool", "DescribeStacks", "E2E", "FILE.csv", "Forwarded", "Id", "Milk", "NAME.before", "Proxy", "Ref",
            "SHARD.host", "Transform", "Upgrade");
    /** Options of other programs that pages mention without the program. */
    private static final Set<String> FOREIGN_OPTIONS = Set.of("--cert", "--exclusively");
    /** S3 objects, paths in images or on servers, names of roles and metrics, and build outputs. */
    private static final Pattern FOREIGN_PATH = Pattern.compile(
            "/.*|\\.lockstep/.*|node_modules/.*|(.*/)?target/.*|(assemblies|assembly|imports|lib|log|manifests|parts|releases|syncs)/.*"
                    + "|[Ll]ockstep(-.*)?/.*|net/http.*"
                    + "|(cdk\\.context|client-authority|cost|go|health|held|maven|npm|pom|python|revoked|routes|server)"
                    + "\\.(json|pem|key|properties)");
    private static final Pattern PATH = Pattern.compile("\\.?[A-Za-z0-9_-][\\w.-]*(/[\\w.-]+)*/?");
    private static final Pattern FILE_NAME = Pattern.compile(".+\\.(java|go|md|yaml|yml|json|conf|sql|py|sh|html|toml|xml|pem)");
    private static final Pattern GO_TEST = Pattern.compile("(Test|Fuzz)[A-Z]\\w*");
    private static final Pattern NAME = Pattern.compile("[A-Z][a-z0-9]+[A-Za-z0-9]*");
    private static final Pattern MEMBER = Pattern.compile("([A-Z][A-Za-z0-9]*)\\.([A-Za-z_]\\w*)(\\(.*\\))?");
    /** A member of the test class that was named last: {@code `SomeTest.first`, `.second`}. */
    private static final Pattern FURTHER_MEMBER = Pattern.compile("\\.([a-z]\\w*)");
    private static final Pattern OPTION = Pattern.compile("--[a-z][a-z-]+");

    private static List<Path> files;
    private static List<Path> pages;
    /** The sources that declare a Java type by its simple name, because packages may change. */
    private static final Map<String, List<String>> TYPES = new HashMap<>();
    /** First words of string literals in Java main code: names of states, outputs and metrics. */
    private static final Set<String> LITERALS = new HashSet<>();
    private static final Set<String> GO_NAMES = new HashSet<>();
    private static final Set<String> OPTIONS_IN_SOURCES = new HashSet<>();

    /** Text in backticks or in a code block. */
    private record Code(Path page, int line, String text) {
        String wrong(String why) {
            return page + ":" + line + ": `" + text + "`: " + why;
        }
    }

    @BeforeAll
    static void readTheRepository() throws IOException {
        var found = new ArrayList<Path>();
        Files.walkFileTree(PROJECT, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
                return NOT_OURS.contains(String.valueOf(directory.getFileName())) ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                if (attributes.isRegularFile()) found.add(PROJECT.relativize(file));
                if (attributes.isRegularFile() && attributes.size() < LARGEST_SOURCE) index(PROJECT.relativize(file));
                return FileVisitResult.CONTINUE;
            }
        });
        files = found.stream().sorted().toList();
        pages = files.stream().filter(file -> file.toString().endsWith(".md")).toList();
    }

    private static void index(Path file) throws IOException {
        String name = file.getFileName().toString();
        if (name.endsWith(".md")) return;
        String text = textOf(file);
        // otherwise the exceptions in this file would count as known
        if (!name.equals("DocsTest.java")) matches("--[a-z][a-z-]+", text).forEach(match -> OPTIONS_IN_SOURCES.add(match.group()));
        if (name.endsWith(".java")) {
            matches("\\b(?:class|record|interface|enum)\\s+([A-Z]\\w*)", text).stream().map(match -> match.group(1)).distinct()
                    .forEach(type -> TYPES.computeIfAbsent(type, key -> new ArrayList<>()).add(text));
            if (file.toString().contains("src/main")) {
                matches("\"([A-Za-z][\\w?-]*)[ :\"]", text).forEach(match -> LITERALS.add(match.group(1)));
            }
        }
        if (name.endsWith(".go")) {
            matches("(?m)^(?:func (?:\\([^)]*\\) )?|type |\\t)([A-Z]\\w*)\\b", text).forEach(match -> GO_NAMES.add(match.group(1)));
        }
    }

    private static List<MatchResult> matches(String pattern, String text) {
        return Pattern.compile(pattern).matcher(text).results().toList();
    }

    private static String textOf(Path file) throws IOException {
        return new String(Files.readAllBytes(PROJECT.resolve(file)), StandardCharsets.UTF_8);
    }

    private static void assertNone(List<String> wrong) {
        assertTrue(wrong.isEmpty(), () -> "\n" + String.join("\n", wrong));
    }

    @Test
    void commandsAreThoseOfTheCommandLine() throws IOException {
        String page = new CommandsPage().text();
        if (Boolean.getBoolean("docs.update")) Files.writeString(PROJECT.resolve(COMMANDS), page);
        assertEquals(page, textOf(COMMANDS), COMMANDS + ": rewrite it with -Ddocs.update=true");
    }

    @Test
    void linksLeadToFilesAndHeadings() throws IOException {
        var wrong = new TreeSet<String>();
        for (Path page : pages) {
            for (var link : matches("]\\(([^)\\s]+)\\)", withoutBlocks(textOf(page)))) {
                String target = link.group(1);
                if (target.matches("[a-z]+:.*")) continue;
                String path = target.replaceFirst("#.*", "");
                Path file = path.isEmpty() ? page : page.resolveSibling(path).normalize();
                if (!Files.exists(PROJECT.resolve(file))) wrong.add(page + ": " + target + ": no such file");
                else if (target.contains("#") && !anchors(file).contains(target.replaceFirst(".*#", ""))) {
                    wrong.add(page + ": " + target + ": no such heading");
                }
            }
        }
        assertNone(List.copyOf(wrong));
    }

    private static Set<String> anchors(Path page) throws IOException {
        return matches("(?m)^#+ +(.*)$", withoutBlocks(textOf(page))).stream().map(heading -> CommandsPage.anchor(heading.group(1)))
                .collect(Collectors.toSet());
    }

    private static String withoutBlocks(String page) {
        return page.replaceAll("(?ms)^ *```.*?^ *```", "");
    }

    private static List<Code> inBackticks() throws IOException {
        return code(false, "`([^`\n]+)`");
    }

    private static List<Code> code(boolean inBlocks, String pattern) throws IOException {
        var found = new ArrayList<Code>();
        for (Path page : pages) {
            if (page.startsWith(RESULTS)) continue;
            boolean block = false;
            int number = 0;
            for (String line : textOf(page).lines().toList()) {
                number++;
                if (line.strip().startsWith("```")) block = !block;
                if (block != inBlocks) continue;
                for (var match : matches(pattern, line)) found.add(new Code(page, number, match.group(1).strip()));
            }
        }
        return found;
    }

    @Test
    void typesMembersAndTestsExist() throws IOException {
        var wrong = new ArrayList<String>();
        var foreign = new TreeSet<>(FOREIGN_NAMES);
        Path page = null;
        String type = "";
        for (Code code : inBackticks()) {
            if (!code.page().equals(page)) type = "";
            page = code.page();
            String text = code.text();
            var member = MEMBER.matcher(text);
            var further = FURTHER_MEMBER.matcher(text);
            if (FOREIGN_NAMES.contains(text)) {
                foreign.remove(text);
            } else if (TYPES.containsKey(text)) {
                type = text;
            } else if (GO_TEST.matcher(text).matches()) {
                if (!GO_NAMES.contains(text)) wrong.add(code.wrong("no such test in Go"));
            } else if (NAME.matcher(text).matches()) {
                if (!LITERALS.contains(text) && !GO_NAMES.contains(text)) wrong.add(code.wrong("neither a type nor a name in the code"));
            } else if (member.matches() && !FILE_NAME.matcher(text).matches() && !member.group(1).equals("States")) {
                type = member.group(1);
                if (!TYPES.containsKey(type)) wrong.add(code.wrong("no such type"));
                else if (!declares(type, member.group(2))) wrong.add(code.wrong(type + " has no such member"));
            } else if (further.matches() && type.endsWith("Test") && !declares(type, further.group(1))) {
                wrong.add(code.wrong(type + " has no such member"));
            }
        }
        assertNone(wrong);
        assertEquals(Set.of(), foreign, "names that no page uses: take them off the list");
    }

    private static boolean declares(String type, String member) {
        var word = Pattern.compile("\\b" + member + "\\b");
        return TYPES.get(type).stream().anyMatch(text -> word.matcher(text).find());
    }

    @Test
    void filesExist() throws IOException {
        var wrong = new ArrayList<String>();
        for (Code code : inBackticks()) {
            String text = code.text();
            boolean names = PATH.matcher(text).matches() && (text.contains("/") || FILE_NAME.matcher(text).matches());
            if (names && !FOREIGN_PATH.matcher(text).matches() && !exists(code.page(), text)) wrong.add(code.wrong("no such file"));
        }
        assertNone(wrong);
    }

    /** Reports whether a path exists relative to the root or the page, or as part of another path. */
    private static boolean exists(Path page, String text) {
        String path = text.replaceFirst("^\\./", "").replaceFirst("/$", "");
        return Files.exists(PROJECT.resolve(path)) || Files.exists(PROJECT.resolve(page.resolveSibling(path)))
                || files.stream().map(file -> "/" + file).anyMatch(file -> file.endsWith("/" + path) || file.contains("/" + path + "/"));
    }

    @Test
    void faultsNameTheClassesOfTheNightlyTier() throws IOException {
        var nightly = new TreeSet<String>();
        for (Path file : files) {
            String name = file.getFileName().toString();
            if (name.endsWith("Test.java") && !matches("(?m)^@Tag\\(\"nightly\"\\)$", textOf(file)).isEmpty())
                nightly.add(name.replace(".java", ""));
        }
        String sentence = matches("`\\./lockstep test` runs these tests, except the classes ([^.]*?) and single tests", textOf(FAULTS))
                .getFirst().group(1);
        assertEquals(nightly,
                matches("`(\\w+)`", sentence).stream().map(match -> match.group(1)).collect(Collectors.toCollection(TreeSet::new)));
    }

    @Test
    void commandsAndOptionsAreKnown() throws IOException {
        var main = new CommandLine(new Main());
        var wrong = new ArrayList<String>();
        for (Code code : inBackticks()) {
            var words = List.of(code.text().split("\\s+"));
            String first = words.getFirst();
            if (first.matches("(\\./)?lockstep")) {
                check(main, code, words.subList(1, words.size()), wrong);
            } else if (main.getSubcommands().containsKey(first) && words.size() > 1 && words.get(1).startsWith("--")) {
                check(main, code, words, wrong);
            } else if (OPTION.matcher(first).matches() && !OPTIONS_IN_SOURCES.contains(first) && !FOREIGN_OPTIONS.contains(first)) {
                wrong.add(code.wrong("an option of nothing here"));
            }
        }
        for (Code code : code(true, "(?:^|[\\s(\"])\\./lockstep ([^|#;)\"]*)")) {
            check(main, code, List.of(code.text().split("\\s+")), wrong);
        }
        assertNone(wrong);
    }

    private static void check(CommandLine main, Code code, List<String> words, List<String> wrong) {
        if (words.isEmpty() || words.getFirst().matches("|COMMAND") || OF_LAUNCHER.contains(words.getFirst())) return;
        CommandLine command = main;
        int next = 0;
        // `release build|list`: check that each exists, and continue with the first
        while (next < words.size() && command.getSubcommands().keySet().containsAll(List.of(words.get(next).split("\\|")))) {
            command = command.getSubcommands().get(words.get(next++).split("\\|")[0]);
        }
        if (!command.getSubcommands().isEmpty() && next < words.size() && words.get(next).matches("[a-z][a-z|-]*")) {
            wrong.add(code.wrong("no such command"));
            return;
        }
        var known = new HashSet<>(command.getCommandSpec().optionsMap().keySet());
        known.addAll(command.getCommandSpec().negatedOptionsMap().keySet());
        for (String word : words.subList(next, words.size())) {
            var option = OPTION.matcher(word);
            if (option.lookingAt() && !known.contains(option.group())) {
                wrong.add(code.wrong("no option " + option.group() + " of " + command.getCommandSpec().qualifiedName()));
            }
        }
    }

    /** Each row of a table of faults ends with its test, or states that there is none. */
    @Test
    void eachFaultHasItsTest() throws IOException {
        var wrong = new ArrayList<String>();
        String section = "";
        for (String line : textOf(FAULTS).lines().toList()) {
            if (line.startsWith("## ")) section = line;
            boolean row = line.startsWith("| ") && !line.matches("\\| (---|fault \\||attempt \\||fault or attempt \\|).*");
            if (!row || section.equals("## The fault run")) continue;
            var cells = line.split(" \\| ");
            String last = cells[cells.length - 1].replaceFirst(" \\|$", "");
            var tests = matches("`(\\w+Test|(?:Test|Fuzz)\\w+)(?:\\.\\w+)?`", last).stream().map(match -> match.group(1)).toList();
            if (tests.isEmpty() && !last.startsWith("–")) wrong.add("no test: " + line);
            tests.stream().filter(test -> !TYPES.containsKey(test) && !GO_NAMES.contains(test))
                    .forEach(test -> wrong.add("no such test " + test + ": " + line));
        }
        assertNone(wrong);
    }
}
