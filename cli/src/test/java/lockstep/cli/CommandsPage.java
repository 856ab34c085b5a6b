package lockstep.cli;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ScopeType;

/** Generates docs/commands.md from the model of the command line. */
final class CommandsPage {
    private static final String TABLE = "| | |\n| --- | --- |\n";

    private final CommandLine main = new CommandLine(new Main());

    String text() {
        var page = new StringBuilder("""
                # Commands

                What each command says of itself; `lockstep help COMMAND` prints the same. This page is generated: `DocsTest` fails when it
                differs from the command line, and rewrites it with `-Ddocs.update=true`.

                Exit codes are 0 for done, 1 for failed and 2 for wrong usage, unless the command says otherwise. Answers go to standard
                output, progress to standard error. Without `--aws` a command works on the local cloud. `LOCKSTEP_HOME` puts a cloud
                elsewhere than `.lockstep/cloud`, so that several run side by side. `LOCKSTEP_TRACE=1` prints the stack trace of a failure.

                Every command takes these options:

                """);
        page.append(TABLE);
        main.getCommandSpec().options().stream()
                .filter(option -> option.scopeType() == ScopeType.INHERIT)
                .forEach(option -> page.append(row(option)));
        page.append("| `--help` | Print the help of the command. |\n\n");
        page.append(TABLE);
        var commands = commands(main);
        commands.forEach((name, command) -> page
                .append("| [`%s`](#%s) | %s |\n".formatted(name, anchor("lockstep " + name), cell(description(command)))));
        page.append("| `test`, `format`, `build` | Of the launcher: run the tests, as `.ci/run` does; format the code; "
                + "only bring everything up to date. |\n");
        commands.forEach((name, command) -> page.append(section(name, command)));
        return page.toString();
    }

    /** Returns the commands by their full name, without groups of commands. */
    private static Map<String, CommandSpec> commands(CommandLine group) {
        var found = new TreeMap<String, CommandSpec>();
        group.getSubcommands().forEach((name, command) -> {
            if (command.getCommandSpec().usageMessage().hidden()) return;
            if (command.getSubcommands().isEmpty()) found.put(name, command.getCommandSpec());
            else commands(command).forEach((rest, inner) -> found.put(name + " " + rest, inner));
        });
        return found;
    }

    private static String section(String name, CommandSpec command) {
        var text = new StringBuilder("\n## lockstep " + name + "\n\n" + description(command) + "\n");
        var options = command.options().stream()
                .filter(option -> !option.inherited() && !option.hidden() && !option.usageHelp() && !option.versionHelp()).toList();
        var parameters = command.positionalParameters();
        if (!options.isEmpty() || !parameters.isEmpty()) {
            text.append("\n").append(TABLE);
            parameters.forEach(
                    parameter -> text.append("| `%s` | %s |\n".formatted(cell(parameter.paramLabel()), cell(description(parameter)))));
            options.forEach(option -> text.append(row(option)));
        }
        // the footer of a group of commands applies to each of them
        Stream.iterate(command, Objects::nonNull, CommandSpec::parent).filter(spec -> spec.parent() != null).toList().reversed().stream()
                .map(spec -> String.join("\n", Arrays.stream(spec.usageMessage().footer()).filter(line -> !line.isBlank()).toList()))
                .filter(footer -> !footer.isEmpty())
                .forEach(footer -> text.append("\n").append(footer).append("\n"));
        return text.toString();
    }

    private static String row(OptionSpec option) {
        String name = option.negatable() ? option.longestName().replace("--", "--[no-]") : option.longestName();
        String value = option.typeInfo().isBoolean() ? "" : " " + option.paramLabel();
        return "| `%s` | %s |\n".formatted(cell(name + value), cell((option.required() ? "Required. " : "") + description(option)));
    }

    private static String description(CommandSpec command) {
        return String.join(" ", command.usageMessage().description()).replace("%n", "");
    }

    private static String description(ArgSpec argument) {
        return String.join(" ", argument.description()).replace("${DEFAULT-VALUE}", String.valueOf(argument.defaultValue()));
    }

    private static String cell(String text) {
        return text.replace("|", "\\|");
    }

    /** Returns the anchor that GitLab and GitHub generate for a heading. */
    static String anchor(String heading) {
        return heading.toLowerCase(Locale.ROOT).replaceAll("\\[([^]]*)]\\([^)]*\\)", "$1").replaceAll("[^\\p{L}\\p{N} _-]", "").strip()
                .replace(' ', '-');
    }
}
