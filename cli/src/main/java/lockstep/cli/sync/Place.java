package lockstep.cli.sync;

import lockstep.cli.Main;
import lockstep.cli.aws.Accounts;
import lockstep.cli.cloud.LocalCloud;
import lockstep.landscape.Landscape;
import picocli.CommandLine.Option;

/** Where a command works: in the local cloud, unless AWS was asked for by its name. */
final class Place {
    @Option(names = "--aws", description = "On AWS, with the profile of your AWS configuration that is named as each account (default: the local cloud).")
    private boolean aws;

    Accounts open(Main main, Landscape landscape) {
        return aws ? Accounts.onAws(landscape) : LocalCloud.open(main.files(), landscape);
    }
}
