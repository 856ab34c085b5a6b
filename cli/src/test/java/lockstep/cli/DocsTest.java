package lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lockstep.cli.cloud.CloudFiles;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Whatever a Markdown page names exists: files, anchors, classes, methods, tests, commands and options. docs/commands.md is what the command line
 * says of itself; {@code mvn test -pl cli -am -Dtest=DocsTest -Dsurefire.failIfNoSpecifiedTests=false -Ddocs.update=true} writes it anew.
 */
class DocsTest {
    private static final boolean UPDATE = Boolean.getBoolean("docs.update");
    private static final Path PROJECT = CloudFiles.ofLauncher().project();
    private static final Path COMMANDS = Path.of("docs/commands.md");
    private static final Set<String> SKIPPED = Set.of(".git", ".lockstep", "node_modules", "target", "__pycache__", "testdata");
    /** What the launcher answers itself. */
    private static final Set<String> OF_LAUNCHER = Set.of("test", "build", "compile", "synth-app");

    /** Names in backticks that belong to AWS, PostgreSQL, HTTP and other software, or are examples of values. */
    private static final Set<String> FOREIGN_NAMES = Set.of(
            "Abc", "Accept", "Bool", "DescribeStacks", "E2E", "Forwarded", "Id", "Milk", "NAME.before", "Proxy", "Ref", "SHARD.host", "TooManyRequests", "Transform", "Upgrade");
    /** Options of other programs that pages show without the program's name. */
    private static final Set<String> FOREIGN_OPTIONS = Set.of("--cert", "--exclusively");
    /** Paths in backticks that are objects of a bucket, of an image, of a deployed task, of a server, or made by the build. */
    private static final Pattern FOREIGN_PATH = Pattern.compile(
            "/.*|~.*|.*://.*|\\.lockstep/.*|node_modules/.*|(.*/)?target/.*|(assemblies|assembly|imports|lib|log|manifests|parts|releases|syncs)/.*|lockstep/.*|lockstep-.*/.*|Lockstep/.*"
                    + "|(cdk\\.context|client-authority|cost|go|health|held|maven|npm|pom|python|revoked|routes|server)\\.(json|pem|key|properties)|net/http.*");

    private static List<Path> files;
    private static List<Path> pages;
    /** Of Java, by simple name: the source that declares the type. */
    private static final Map<String, List<String>> TYPES = new HashMap<>();
    /** Literal texts of main code in Java: names of states, outputs, metrics. */
    private static final Set<String> LITERALS = new HashSet<>();
    private static final Set<String> GO_NAMES = new HashSet<>();
    /** All words that begin with two dashes, in whatever is no page. */
    private static final Set<String> OPTIONS_IN_SOURCES = new HashSet<>();

    private record Code(Path page, int line, String text) {
        String at() {
            return page + ":" + line + ": `" + text + "`";
        }
    }

    @BeforeAll
    static void read() throws IOException {
        var found = new ArrayList<Path>();
        Files.walkFileTree(PROJECT, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
                return SKIPPED.contains(String.valueOf(directory.getFileName())) ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                if (attributes.isRegularFile()) found.add(PROJECT.relativize(file));
                return FileVisitResult.CONTINUE;
            }
        });
        files = found.stream().sorted().toList();
        pages = files.stream().filter(file -> file.toString().endsWith(".md")).toList();
        var type = Pattern.compile("\\b(?:class|record|interface|enum)\\s+([A-Z]\\w*)");
        var literal = Pattern.compile("\"([A-Za-z][\\w?-]*)[ :\"]");
        var go = Pattern.compile("(?m)^(?:func (?:\\([^)]*\\) )?|type |\\t)([A-Z]\\w*)\\b");
        var option = Pattern.compile("--[a-z][a-z-]+");
        for (Path file : files) {
            String name = file.toString();
            if (name.endsWith(".md") || Files.size(PROJECT.resolve(file)) > 2_000_000) continue;
            String text = textOf(file);
            option.matcher(text).results().forEach(m -> OPTIONS_IN_SOURCES.add(m.group()));
            if (name.endsWith(".java")) {
                String simple = file.getFileName().toString().replace(".java", "");
                TYPES.computeIfAbsent(simple, key -> new ArrayList<>()).add(text);
                type.matcher(text).results().map(m -> m.group(1)).distinct().filter(nested -> !nested.equals(simple)).forEach(nested -> TYPES.computeIfAbsent(nested, key -> new ArrayList<>()).add(text));
                if (name.contains("src/main")) literal.matcher(text).results().forEach(m -> LITERALS.add(m.group(1)));
            }
            if (name.endsWith(".go")) go.matcher(text).results().forEach(m -> GO_NAMES.add(m.group(1)));
        }
    }

    private static String textOf(Path file) throws IOException {
        return new String(Files.readAllBytes(PROJECT.resolve(file)), java.nio.charset.StandardCharsets.UTF_8);
    }

    // --- the page of commands ---------------------------------------------------------------------------------------

    @Test
    void commandsAreThoseOfTheCommandLine() throws IOException {
        var page = new StringBuilder("""
                # Commands

                What each command says of itself; `lockstep help COMMAND` prints the same. This page is generated: `DocsTest` fails when it differs from the command line, and writes it with
                `-Ddocs.update=true`.

                Exit codes are 0 for done, 1 for failed and 2 for wrong usage, unless the command says otherwise. Answers go to standard output, progress to standard error.
                Every command takes these options:

                """);
        var main = new CommandLine(new Main());
        var inherited = main.getCommandSpec().options().stream().filter(option -> option.scopeType() == CommandLine.ScopeType.INHERIT).toList();
        page.append("| option | |\n| --- | --- |\n");
        inherited.forEach(option -> page.append(row(option)));
        page.append("| `-h`, `--help` | Prints the help of the command. |\n\n");
        page.append("Without `--aws` a command works on the local cloud. `LOCKSTEP_HOME` puts a cloud elsewhere than `.lockstep/cloud`, so that several run side by side; `LOCKSTEP_TRACE=1` prints the stack trace of a failure.\n\n");
        page.append("| command | |\n| --- | --- |\n");
        leaves(main).forEach((name, command) -> page.append("| [`").append(name).append("`](#").append(anchor("lockstep " + name)).append(") | ").append(cell(description(command))).append(" |\n"));
        page.append("| `test`, `build` | Of the launcher: run the tests (as `.ci/run` does); only bring everything up to date. |\n");
        leaves(main).forEach((name, command) -> page.append(section(name, command)));
        if (UPDATE) {
            Files.writeString(PROJECT.resolve(COMMANDS), page.toString());
        }
        assertEquals(page.toString(), textOf(COMMANDS), "docs/commands.md; write it anew with -Ddocs.update=true");
    }

    /** By the words that call it, those of commands that do nothing by themselves left out. */
    private static Map<String, CommandSpec> leaves(CommandLine command) {
        var found = new TreeMap<String, CommandSpec>();
        command.getSubcommands().forEach((name, sub) -> {
            if (sub.getCommandSpec().usageMessage().hidden()) return;
            if (sub.getSubcommands().isEmpty()) found.put(name, sub.getCommandSpec());
            else leaves(sub).forEach((rest, leaf) -> found.put(name + " " + rest, leaf));
        });
        return found;
    }

    private static String section(String name, CommandSpec command) {
        var text = new StringBuilder("\n## lockstep " + name + "\n\n" + description(command) + "\n");
        var options = command.options().stream().filter(option -> !option.inherited() && !option.hidden() && !option.usageHelp() && !option.versionHelp()).toList();
        if (!options.isEmpty() || !command.positionalParameters().isEmpty()) {
            text.append("\n| | |\n| --- | --- |\n");
            command.positionalParameters().forEach(parameter -> text.append("| `").append(cell(parameter.paramLabel())).append("` | ").append(cell(described(parameter))).append(" |\n"));
            options.forEach(option -> text.append(row(option)));
        }
        var parents = Stream.iterate(command, java.util.Objects::nonNull, spec -> spec.parent()).filter(spec -> spec.parent() != null).toList();
        for (var spec : parents.reversed()) {
            var footer = Arrays.stream(spec.usageMessage().footer()).filter(line -> !line.isBlank()).toList();
            if (!footer.isEmpty()) text.append("\n").append(String.join("\n", footer)).append("\n");
        }
        return text.toString();
    }

    private static String description(CommandSpec command) {
        return String.join(" ", command.usageMessage().description()).replace("%n", "");
    }

    private static String row(OptionSpec option) {
        String name = option.negatable() ? option.longestName().replace("--", "--[no-]") : option.longestName();
        String label = option.arity().max() == 0 || option.typeInfo().isBoolean() ? "" : " " + option.paramLabel();
        return "| `" + cell(name + label) + "` | " + (option.required() ? "Required. " : "") + cell(described(option)) + " |\n";
    }

    private static String described(CommandLine.Model.ArgSpec argument) {
        return String.join(" ", argument.description()).replace("${DEFAULT-VALUE}", String.valueOf(argument.defaultValue()));
    }

    private static String cell(String text) {
        return text.replace("|", "\\|");
    }

    // --- links ------------------------------------------------------------------------------------------------------

    @Test
    void linksLeadToFilesAndAnchors() throws IOException {
        var link = Pattern.compile("\\]\\(([^)\\s]+)\\)");
        var wrong = new TreeSet<String>();
        for (Path page : pages) {
            for (var m : (Iterable<java.util.regex.MatchResult>) link.matcher(withoutBlocks(textOf(page))).results()::iterator) {
                String target = m.group(1);
                if (target.matches("[a-z]+:.*")) continue;
                String path = target.replaceFirst("#.*", "");
                Path file = path.isEmpty() ? page : Path.of(String.valueOf(page.resolveSibling(path).normalize()));
                if (!Files.exists(PROJECT.resolve(file))) wrong.add(page + ": " + target + ": no such file");
                else if (target.contains("#") && !anchors(file).contains(target.replaceFirst(".*#", ""))) wrong.add(page + ": " + target + ": no such heading");
            }
        }
        assertEquals(Set.of(), wrong, () -> String.join("\n", wrong));
    }

    private static Set<String> anchors(Path page) throws IOException {
        return withoutBlocks(textOf(page)).lines().filter(line -> line.matches("#+ .*")).map(line -> anchor(line.replaceFirst("#+ +", ""))).collect(Collectors.toSet());
    }

    /** As GitLab and GitHub make it of a heading. */
    private static String anchor(String heading) {
        return heading.toLowerCase(java.util.Locale.ROOT).replaceAll("\\[([^]]*)\\]\\([^)]*\\)", "$1").replaceAll("[^\\p{L}\\p{N} _-]", "").strip().replace(' ', '-');
    }

    private static String withoutBlocks(String page) {
        return page.replaceAll("(?ms)^ *```.*?^ *```", "");
    }

    // --- names ------------------------------------------------------------------------------------------------------

    /** What stands in backticks, outside blocks of code. */
    private static List<Code> code() throws IOException {
        var inline = Pattern.compile("`([^`\n]+)`");
        var found = new ArrayList<Code>();
        for (Path page : pages) {
            // generated of what was measured
            if (page.startsWith("bench/results")) continue;
            boolean block = false;
            int number = 0;
            for (String line : textOf(page).lines().toList()) {
                number++;
                if (line.strip().startsWith("```")) block = !block;
                if (block) continue;
                int at = number;
                inline.matcher(line).results().forEach(m -> found.add(new Code(page, at, m.group(1))));
            }
        }
        return found;
    }

    @Test
    void classesMethodsAndTestsExist() throws IOException {
        var wrong = new ArrayList<String>();
        var name = Pattern.compile("[A-Z][a-z0-9]+[A-Za-z0-9]*");
        var member = Pattern.compile("([A-Z][A-Za-z0-9]*)\\.([A-Za-z_]\\w*)(\\(.*\\))?");
        var shortMember = Pattern.compile("\\.([a-z]\\w*)");
        var foreign = new TreeSet<>(FOREIGN_NAMES);
        Path page = null;
        String type = "";
        for (Code code : code()) {
            if (!code.page().equals(page)) type = "";
            page = code.page();
            if (FOREIGN_NAMES.contains(code.text())) {
                foreign.remove(code.text());
                continue;
            }
            var both = member.matcher(code.text());
            var rest = shortMember.matcher(code.text());
            if (code.text().matches("(Test|Fuzz)[A-Z]\\w*") && !TYPES.containsKey(code.text())) {
                if (!GO_NAMES.contains(code.text())) wrong.add(code.at() + ": no such test of Go");
            } else if (name.matcher(code.text()).matches()) {
                if (TYPES.containsKey(code.text())) type = code.text();
                else if (!known(code.text())) wrong.add(code.at() + ": neither a type nor a name in the code");
            } else if (both.matches() && !both.group(2).matches("(java|md|json|yaml|sql|go|csv)") && !both.group(1).equals("States")) {
                type = both.group(1);
                if (!TYPES.containsKey(type) && !GO_NAMES.contains(type)) wrong.add(code.at() + ": no such type");
                else if (!declares(type, both.group(2))) wrong.add(code.at() + ": " + type + " has no such member");
            } else if (rest.matches() && !type.isEmpty() && type.endsWith("Test") && !declares(type, rest.group(1)) && !rest.group(1).matches("json|md|yaml|zip|release|gitattributes|gitignore")) {
                wrong.add(code.at() + ": " + type + " has no such member");
            }
        }
        assertTrue(wrong.isEmpty(), () -> String.join("\n", wrong));
        assertEquals(Set.of(), foreign, "names that no page uses: take them off the list");
    }

    private static boolean known(String name) {
        return LITERALS.contains(name) || GO_NAMES.contains(name);
    }

    private static boolean declares(String type, String member) {
        var word = Pattern.compile("\\b" + member + "\\b");
        return TYPES.getOrDefault(type, List.of()).stream().anyMatch(text -> word.matcher(text).find()) || GO_NAMES.contains(member);
    }

    @Test
    void filesExist() throws IOException {
        var path = Pattern.compile("\\.?[A-Za-z0-9_-][\\w.-]*(/[\\w.-]+)*/?");
        var ending = Pattern.compile(".*\\.(java|go|md|yaml|yml|json|conf|sql|py|sh|html|toml|xml|txt|pem)");
        var wrong = new ArrayList<String>();
        for (Code code : code()) {
            String text = code.text();
            if (!path.matcher(text).matches() || !text.contains("/") && !ending.matcher(text).matches() || FOREIGN_PATH.matcher(text).matches()) continue;
            if (text.matches("\\.[a-z]+|[A-Z_]+/.*|.*/[A-Z-]+")) continue;
            if (!exists(code.page(), text)) wrong.add(code.at() + ": no such file");
        }
        assertTrue(wrong.isEmpty(), () -> String.join("\n", wrong));
    }

    /** From the root, from the page, or as the end of a path. */
    private static boolean exists(Path page, String text) {
        String end = text.replaceFirst("^\\./", "").replaceFirst("/$", "");
        return Files.exists(PROJECT.resolve(end)) || page.getParent() != null && Files.exists(PROJECT.resolve(page.resolveSibling(end)))
                || files.stream().map(Path::toString).anyMatch(file -> file.endsWith("/" + end) || ("/" + file).contains("/" + end + "/"));
    }

    // --- commands and options ---------------------------------------------------------------------------------------

    @Test
    void commandsAndOptionsAreKnown() throws IOException {
        var main = new CommandLine(new Main());
        var wrong = new ArrayList<String>();
        for (Code code : code()) {
            var words = code.text().split("\\s+");
            if (words[0].equals("lockstep") || words[0].equals("./lockstep")) check(main, code, words, 1, wrong);
            else if (words.length > 1 && main.getSubcommands().containsKey(words[0]) && words[1].matches("--.*|" + String.join("|", main.getSubcommands().get(words[0]).getSubcommands().keySet()))) check(main, code, words, 0, wrong);
            else if (words[0].matches("--[a-z][a-z-]+")) {
                if (!OPTIONS_IN_SOURCES.contains(words[0]) && !FOREIGN_OPTIONS.contains(words[0])) wrong.add(code.at() + ": an option of nothing here");
            }
        }
        var called = Pattern.compile("(?:^|[\\s(\"])\\./lockstep ([^|#;\n)\"]*)");
        for (Path page : pages) {
            int number = 0;
            boolean block = false;
            for (String line : textOf(page).lines().toList()) {
                number++;
                if (line.strip().startsWith("```")) block = !block;
                if (!block) continue;
                int at = number;
                called.matcher(line).results().forEach(m -> check(main, new Code(page, at, m.group().strip()), m.group(1).strip().split("\\s+"), 0, wrong));
            }
        }
        assertTrue(wrong.isEmpty(), () -> String.join("\n", wrong));
    }

    private static void check(CommandLine main, Code code, String[] words, int from, List<String> wrong) {
        if (from >= words.length || words[from].equals("COMMAND") || words[from].equals("…")) return;
        if (OF_LAUNCHER.contains(words[from])) return;
        CommandLine command = main;
        int next = from;
        for (; next < words.length; next++) {
            // `release build|list|deploy`: each of them
            var names = words[next].split("\\|");
            if (!command.getSubcommands().keySet().containsAll(List.of(names))) break;
            command = command.getSubcommands().get(names[0]);
        }
        if (next == from && !words[from].startsWith("--")) {
            wrong.add(code.at() + ": no such command");
            return;
        }
        var known = Stream.concat(command.getCommandSpec().optionsMap().keySet().stream(), command.getCommandSpec().negatedOptionsMap().keySet().stream()).collect(Collectors.toSet());
        for (; next < words.length; next++) {
            String option = words[next].replaceAll("[\\[\\],.`…=].*$", "").replaceAll("^\\[", "");
            if (option.matches("--[a-z].*") && !known.contains(option)) wrong.add(code.at() + ": no option " + option + " of " + command.getCommandSpec().qualifiedName());
        }
    }

    // --- faults -----------------------------------------------------------------------------------------------------

    /** Each row of the tables of faults ends with a test, or says that there is none. */
    @Test
    void eachFaultNamesItsTest() throws IOException {
        var wrong = new ArrayList<String>();
        boolean tests = false;
        for (String line : textOf(Path.of("docs/faults.md")).lines().toList()) {
            if (line.startsWith("## ")) tests = !line.equals("## The fault run");
            if (!tests || !line.startsWith("| ") || line.startsWith("| ---") || line.matches("\\| (fault|attempt|fault or attempt) .*")) continue;
            var cells = line.split(" \\| ");
            String last = cells[cells.length - 1].replaceFirst(" \\|$", "");
            var named = Pattern.compile("`(\\w+?Test|Test\\w+|Fuzz\\w+)(\\.\\w+)?`").matcher(last).results().map(m -> m.group(1)).toList();
            if (named.isEmpty() && !last.matches("–.*|the same|.*\\bno(ne)?\\b.*")) wrong.add(line);
            named.stream().filter(test -> !TYPES.containsKey(test) && !GO_NAMES.contains(test)).forEach(test -> wrong.add(test + ": " + line));
        }
        assertTrue(wrong.isEmpty(), () -> String.join("\n", wrong));
    }
}
