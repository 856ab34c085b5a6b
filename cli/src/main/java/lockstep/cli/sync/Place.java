package lockstep.cli.sync;

import lockstep.cli.Main;
import lockstep.cli.aws.Accounts;
import lockstep.cli.cloud.LocalCloud;
import lockstep.landscape.Landscape;
import picocli.CommandLine.Option;

/** Where a command works: in the local cloud, unless AWS was asked for by its name. */
public final class Place {
    @Option(names = "--aws", description = "On AWS, with the profile of your AWS configuration that is named as each account (default: the local cloud).")
    private boolean aws;

    public boolean isAws() {
        return aws;
    }

    /** Of the file, and in the local cloud also the shards that were brought up besides. */
    public Landscape landscape(Main main) {
        return aws ? main.declaredLandscape() : main.landscape();
    }

    public Accounts open(Main main, Landscape landscape) {
        return aws ? Accounts.onAws(landscape) : LocalCloud.open(main.files(), landscape);
    }
}
