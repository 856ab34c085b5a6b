package lockstep.cli;

import java.nio.file.Path;
import java.util.Optional;
import lockstep.landscape.Landscape;
import lockstep.landscape.LandscapeReader;
import lockstep.localcloud.TemporaryShards;
import lockstep.masterdata.engine.parts.Causes;
import lockstep.project.Progress;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine;
import tools.jackson.databind.json.JsonMapper;

/**
 * The command line, and the shared options of its subcommands. Exit codes of all commands: 0 done, 1 failed, 2 wrong usage, and 3
 * ({@link #UNDECIDED}).
 */
@Command(name = "lockstep", description = "Keeps every shard's master data in step with production.", synopsisSubcommandLabel = "COMMAND",
        subcommands = {InitCommand.class, UpCommand.class, DownCommand.class, DeployCommand.class, ReleaseCommand.class, LogCommand.class,
                SyncCommand.class,
                RollbackCommand.class, RepairCommand.class, ApproveCommand.class, RejectCommand.class, StatusCommand.class,
                VerifyCommand.class, CheckCommand.class, PreflightCommand.class, ImportCommand.class, ConsoleCommand.class,
                OpenCommand.class, DiffCommand.class, ValveCommand.class, CostCommand.class, SchemaGateCommand.class,
                MaintenanceCommand.class, CanaryCommand.class, CertificateCommand.class, ShardCommand.class, DatabaseUrlCommand.class,
                VersionCommand.class,
                CommandLine.HelpCommand.class},
        footer = {"", "The launcher also has 'lockstep test', which runs the tests, 'format', which formats the code, and 'build'."},
        versionProvider = Main.Version.class, mixinStandardHelpOptions = true)
public final class Main {
    /** The exit code of a command that can't tell yet: what it follows still runs, or something could not be checked. */
    static final int UNDECIDED = 3;

    /** The format of answers on standard output. Progress goes to standard error. */
    enum OutputFormat { text, json, markdown }

    /** The version from the manifest of the jar. */
    static final String VERSION = Optional.ofNullable(Main.class.getPackage().getImplementationVersion()).orElse("(not packaged)");

    private static final JsonMapper JSON = JsonMapper.builder().build();
    private final ProjectFiles files = ProjectFiles.ofLauncher();

    @Option(names = "--landscape", paramLabel = "FILE", scope = ScopeType.INHERIT,
            description = "The landscape file with accounts, shards and data sets "
                    + "(default: lockstep.yaml of the checkout).") private Path landscape;

    @Option(names = "--output", paramLabel = "text|json|markdown", scope = ScopeType.INHERIT, defaultValue = "text",
            description = "The output format (default: text). Only diff supports markdown.") private OutputFormat output;

    @Option(names = "--no-color", scope = ScopeType.INHERIT,
            description = "Print without colours (default when NO_COLOR is set or the output is not a terminal).") private boolean noColour;

    public static void main(String[] arguments) {
        System.exit(run(arguments));
    }

    /** Runs a command and returns its exit code. */
    static int run(String... arguments) {
        return new CommandLine(new Main())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler((fault, command, parsed) -> {
                    if (fault instanceof WrongUsage)
                        return command.getParameterExceptionHandler()
                                .handleParseException(new ParameterException(command, fault.getMessage()), arguments);
                    command.getErr().println("lockstep: " + (fault instanceof UserFault cloud ? cloud.report() : described(fault)));
                    return command.getCommandSpec().exitCodeOnExecutionException();
                })
                .execute(arguments.length == 0 ? new String[]{"help"} : arguments);
    }

    public ProjectFiles files() {
        return files;
    }

    /** Returns the given landscape file; empty if none was given. */
    Optional<Path> landscapeOption() {
        return Optional.ofNullable(landscape);
    }

    Path declaredFile() {
        return landscape == null ? files.project().resolve("lockstep.yaml") : landscape.toAbsolutePath().normalize();
    }

    /** Returns the landscape of the file, without temporary shards. */
    Landscape declaredLandscape() {
        return LandscapeReader.read(declaredFile());
    }

    /** Returns the landscape file, or the generated one if the local cloud has temporary shards. */
    public Path landscapeFile() {
        return new TemporaryShards(files).landscape(declaredFile());
    }

    /** Returns the landscape of the local cloud: that of the file, with temporary shards. */
    public Landscape landscape() {
        // read the original file first, so that errors refer to its lines
        var declared = declaredLandscape();
        Path effective = landscapeFile();
        return effective.equals(declaredFile()) ? declared : LandscapeReader.read(effective);
    }

    public Progress progress() {
        return new Progress(System.err, colour());
    }

    /** Reports whether the output is a terminal. */
    boolean terminal() {
        return System.console() != null && System.console().isTerminal();
    }

    public boolean colour() {
        return !noColour && System.getenv("NO_COLOR") == null && terminal() && Ansi.AUTO.enabled();
    }

    /** Prints an answer, as JSON if requested, otherwise as the given text. */
    public void answer(Object answer, String text) {
        answer(answer, text, text);
    }

    public void answer(Object answer, String text, String markdown) {
        System.out.println(switch (output) {
            case json -> JSON.writeValueAsString(answer);
            case text -> text;
            case markdown -> markdown;
        });
    }

    public boolean json() {
        return output == OutputFormat.json;
    }

    private static String described(Exception fault) {
        if (System.getenv("LOCKSTEP_TRACE") != null) {
            fault.printStackTrace();
        }
        return Causes.message(fault) + (fault.getMessage() == null ? "; LOCKSTEP_TRACE=1 prints the stack trace" : "");
    }

    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[]{VERSION};
        }
    }
}
