package lockstep.localcloud;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import lockstep.landscape.Account;
import lockstep.landscape.LandscapeReader;
import lockstep.landscape.Names;
import lockstep.localcloud.TemporaryShards.TemporaryShard;
import lockstep.project.Progress;
import lockstep.project.ProjectFiles;
import lockstep.release.Cdk;

/** Removes a temporary shard. An interrupted removal can be continued. */
public final class Removal {
    private final ProjectFiles files;
    private final Path declared;
    private final TemporaryShard shard;
    private final Progress progress;
    private final CloudState.Store store;
    private final TemporaryShards temporary;

    /** @param declared lockstep.yaml */
    public Removal(ProjectFiles files, Path declared, TemporaryShard shard, Progress progress) {
        this.files = files;
        this.declared = declared;
        this.shard = shard;
        this.progress = progress;
        this.store = new CloudState.Store(files);
        this.temporary = new TemporaryShards(files);
    }

    /** Returns a description of what is removed. */
    public List<String> plan() {
        return List.of("application " + LocalTask.name(shard.name()),
                "routes at the proxy of the " + shard.edition().word() + " edition in " + shard.account(),
                "stack " + Names.shardStack(shard.account(), shard.name()),
                "database " + Names.database(shard.name()) + " with all its data");
    }

    public void run() {
        Expiry.end(files, store, shard.name());
        temporary.add(new TemporaryShard(shard.name(), shard.account(), shard.edition(), shard.expires(), true));
        Path landscapeFile = temporary.landscape(declared);
        var before = LandscapeReader.read(temporary.landscapeBefore(declared));
        Account account = before.accountOf(shard.name());
        // first update the stacks that refer to its stack and the proxy that routes to it
        new Up(files, declared, landscapeFile, LandscapeReader.read(landscapeFile), progress).change(account.name(), Optional.empty());
        String stack = Names.shardStack(account.name(), shard.name());
        try (var cloud = LocalCloud.open(files, before)) {
            if (store.read().deployed().containsKey(account.name() + "/" + stack)) {
                progress.step("stack " + stack + " deleted", () -> destroy(cloud, account, stack));
            }
            progress.step("database of " + shard.name() + " deleted", () -> cloud.database(shard.name()).drop());
        }
        new Users(files).forget(shard.name());
        store.update(state -> state.without(account.name() + "/" + stack, LocalTask.name(shard.name()) + "/"));
        temporary.remove(shard.name());
    }

    private void destroy(LocalCloud cloud, Account account, String stack) {
        var cdk = new Cdk(files, cloud.landscape().region());
        Path assembly = files.home().resolve("assembly-before");
        new Projection(JavaFunctions.runtime(files)).project(cdk.synthesize(temporary.landscapeBefore(declared)), assembly);
        cdk.destroy(account, stack, assembly, cloud.endpoint());
        ProjectFiles.deleteTree(assembly);
    }
}
