package lockstep.cli;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import lockstep.cli.init.InitialLandscape;
import lockstep.cli.init.SourceAddress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "init",
        description = "Writes a landscape file for a PostgreSQL database that exists: reads its catalogue, and proposes tables that look "
                + "like master data, without columns that look personal.",
        footer = {"",
                "It writes the file of --landscape and, beside it, schema.sql, from which the local cloud creates the demo's database. "
                        + "In the database it changes nothing. Asks for what is not given if the input is a terminal.",
                "Without --password-file the password is that of PGPASSFILE or ~/.pgpass, or asked for. It is kept in source.password "
                        + "beside the file, which only you can read, because the local cloud logs in with it.",
                "Exit codes: 0 written, 1 the database can't be read or nothing in it looks like master data, 2 wrong usage."})
final class InitCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Option(names = "--source", paramLabel = "URL",
            description = "The source, as postgresql://USER@HOST:PORT/DATABASE, without a password. sslmode and sslrootcert may "
                    + "follow, as in libpq.") private String source;

    @Option(names = "--password-file", paramLabel = "FILE",
            description = "A file that contains only the password of the source's user.") private Path passwordFile;

    @Option(names = "--product", paramLabel = "NAME",
            description = "The name from which those of the shards are made (default: that of the database).") private String product;

    @Option(names = "--region", paramLabel = "REGION",
            description = "The AWS region of all accounts (default: eu-central-1).") private String region;

    @Option(names = "--production", paramLabel = "ID",
            description = "The id of the source's AWS account (default: a placeholder, which works only "
                    + "locally).") private String production;

    @Option(names = "--demo", paramLabel = "ID",
            description = "The id of the demo's AWS account (default: a placeholder, which works locally only).") private String demo;

    @Option(names = "--dry-run", description = "Print the landscape file and write nothing.") private boolean dryRun;

    @Option(names = "--force", description = "Replace files that exist.") private boolean force;

    @Override
    public Integer call() {
        Path file = main.declaredFile();
        var initial = new InitialLandscape(file, Optional.ofNullable(passwordFile));
        if (!dryRun && !force) initial.existing().ifPresent(existing -> {
            throw new WrongUsage(existing + " exists; give another file with --landscape FILE, or --force to replace it");
        });
        try {
            var address = SourceAddress.parse(asked("Source, as postgresql://USER@HOST:PORT/DATABASE", source, ""));
            var content = initial.propose(address, () -> password(address), Map.of(
                    "product", asked("Name of the product", product, address.name()),
                    "region", asked("AWS region", region, "eu-central-1"),
                    "production", asked("Id of the source's AWS account", production, "111111111111"),
                    "demo", asked("Id of the demo's AWS account", demo, "222222222222")));
            if (!dryRun) initial.write(content);
            main.answer(Map.of("landscape", file.toString(), "tables", content.tables()), dryRun ? content.landscape()
                    : file + " has a data set of " + content.tables().size() + " tables. Read it, then run: ./lockstep up --landscape "
                            + file);
        } catch (IllegalArgumentException e) {
            throw new WrongUsage(e.getMessage());
        }
        return 0;
    }

    /** Returns what was given; otherwise asks, if there is somebody to ask, and takes the default for an empty answer. */
    private String asked(String question, String given, String usual) {
        if (given != null || !main.terminal()) return given == null ? usual : given;
        String answer = System.console().readLine("%s%s: ", question, usual.isEmpty() ? "" : " [" + usual + "]");
        return answer == null || answer.isBlank() ? usual : answer.strip();
    }

    private String password(SourceAddress address) {
        if (!main.terminal()) throw new WrongUsage("give the password of " + address.user() + " with --password-file or PGPASSFILE");
        return new String(System.console().readPassword("Password of %s: ", address.user()));
    }
}
