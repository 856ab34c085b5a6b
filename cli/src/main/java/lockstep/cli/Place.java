package lockstep.cli;

import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import lockstep.accounts.Accounts;
import lockstep.landscape.DataSet;
import lockstep.landscape.Landscape;
import lockstep.landscape.Names;
import lockstep.landscape.Placeholders;
import lockstep.localcloud.LocalCloud;
import lockstep.project.UserFault;
import lockstep.sync.NextCommand;
import picocli.CommandLine.Option;

/** The option that selects where a command works: the local cloud, or AWS with {@code --aws}. */
public final class Place {
    private static final String TOKEN = "LOCKSTEP_ID_TOKEN";
    private static final String ROLE = "LOCKSTEP_ROLE";
    private static final Pattern LOOPBACK = Pattern.compile("https?://(127\\.0\\.0\\.1|localhost)(:\\d+)?/?");

    @Option(names = "--aws",
            description = "Run on AWS, using the AWS profile of the same name for each account "
                    + "(default: the local cloud).") private boolean aws;

    boolean isAws() {
        return aws;
    }

    /** Returns the options for the commands that this command suggests. */
    public NextCommand next(Main main, DataSet dataSet) {
        return new NextCommand(dataSet.name(), aws, main.landscapeOption());
    }

    /** Returns the landscape of the file; in the local cloud, with temporary shards. */
    public Landscape landscape(Main main) {
        if (!aws) return main.landscape();
        refusePlaceholders(main.landscapeFile());
        return main.declaredLandscape();
    }

    /** Fails if the landscape still has values of the shipped one, unless the AWS SDK is directed to a service of this machine. */
    private static void refusePlaceholders(Path file) {
        if (LOOPBACK.matcher(System.getenv().getOrDefault("AWS_ENDPOINT_URL", "")).matches()) return;
        var found = Placeholders.in(file);
        if (!found.isEmpty()) throw new UserFault("on AWS, these values name nothing of yours; replace them:\n"
                + found.stream().map(value -> file + ":" + value).collect(Collectors.joining("\n")));
    }

    /** Opens the accounts for syncing and reading. Jobs of other projects name their role in {@code LOCKSTEP_ROLE}. */
    public Accounts open(Main main, Landscape landscape) {
        return open(main, landscape, System.getenv().getOrDefault(ROLE, Names.syncRole()));
    }

    /** @param role the role to assume with the token of a pipeline job, if there is one */
    public Accounts open(Main main, Landscape landscape, String role) {
        var token = token();
        if (token.isEmpty()) return aws ? Accounts.onAws(landscape) : LocalCloud.open(main.files(), landscape);
        if (aws) return Accounts.byToken(landscape, Optional.empty(), role, token.get(), session());
        try (var cloud = LocalCloud.open(main.files(), landscape)) {
            return Accounts.byToken(landscape, Optional.of(cloud.endpoint()), role, token.get(), session());
        }
    }

    /** Returns the ID token of a pipeline job, which it uses instead of a key. */
    public static Optional<String> token() {
        return Optional.ofNullable(System.getenv(TOKEN)).filter(token -> !token.isBlank());
    }

    /** Returns the session name with pipeline and job, which CloudTrail shows. */
    private static String session() {
        return ("gitlab-" + System.getenv().getOrDefault("CI_PIPELINE_ID", "0") + "-" + System.getenv().getOrDefault("CI_JOB_ID", "0"))
                .replaceAll("[^A-Za-z0-9=,.@-]", "-");
    }
}
