package lockstep.cli;

import java.util.Optional;
import lockstep.accounts.Accounts;
import lockstep.landscape.DataSet;
import lockstep.landscape.Landscape;
import lockstep.landscape.Names;
import lockstep.localcloud.LocalCloud;
import lockstep.sync.NextCommand;
import picocli.CommandLine.Option;

/** Where a command works: in the local cloud, unless AWS was asked for by its name. */
public final class Place {
    private static final String TOKEN = "LOCKSTEP_ID_TOKEN";

    @Option(names = "--aws", description = "On AWS, with the profile of your AWS configuration that is named as each account (default: the local cloud).")
    private boolean aws;

    public boolean isAws() {
        return aws;
    }

    /** The options that a command suggested by this one takes. */
    public NextCommand next(Main main, DataSet dataSet) {
        return new NextCommand(dataSet.name(), aws, main.landscapeOption());
    }

    /** Of the file, and in the local cloud also the shards that were brought up besides. */
    public Landscape landscape(Main main) {
        return aws ? main.declaredLandscape() : main.landscape();
    }

    /** To sync and to look. */
    public Accounts open(Main main, Landscape landscape) {
        return open(main, landscape, Names.syncRole());
    }

    /** @param role that the token of a pipeline's job is good for, if there is one */
    public Accounts open(Main main, Landscape landscape, String role) {
        var token = token();
        if (token.isEmpty()) return aws ? Accounts.onAws(landscape) : LocalCloud.open(main.files(), landscape);
        if (aws) return Accounts.byToken(landscape, Optional.empty(), role, token.get(), session());
        try (var cloud = LocalCloud.open(main.files(), landscape)) {
            return Accounts.byToken(landscape, Optional.of(cloud.endpoint()), role, token.get(), session());
        }
    }

    /** What a job of the pipeline shows instead of a key. */
    public static Optional<String> token() {
        return Optional.ofNullable(System.getenv(TOKEN)).filter(token -> !token.isBlank());
    }

    /** As CloudTrail shows it: from which pipeline and job. */
    private static String session() {
        return ("gitlab-" + System.getenv().getOrDefault("CI_PIPELINE_ID", "0") + "-" + System.getenv().getOrDefault("CI_JOB_ID", "0")).replaceAll("[^A-Za-z0-9=,.@-]", "-");
    }
}
