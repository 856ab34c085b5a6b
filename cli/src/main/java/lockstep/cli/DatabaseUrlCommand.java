package lockstep.cli;

import java.util.Map;
import java.util.concurrent.Callable;
import lockstep.landscape.Shard;
import lockstep.localcloud.LocalCloud;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "database-url",
        description = "Prints the connection URL of a shard's local database, including the password, for psql and other clients.")
final class DatabaseUrlCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Parameters(paramLabel = "SHARD", description = "A shard of the landscape.") private String shard;

    @Override
    public Integer call() {
        var landscape = main.landscape();
        var shards = landscape.accounts().stream().flatMap(account -> account.shards().stream()).map(Shard::name).toList();
        if (!shards.contains(shard)) {
            throw new WrongUsage("there is no shard '" + shard + "'; write one of " + String.join(", ", shards));
        }
        try (var cloud = LocalCloud.open(main.files(), landscape)) {
            String url = cloud.database(shard).url();
            main.answer(Map.of("shard", shard, "url", url), url);
        }
        return 0;
    }
}
