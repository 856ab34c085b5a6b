package lockstep.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import lockstep.accounts.Accounts;
import lockstep.landscape.Account;
import lockstep.landscape.Landscape;
import lockstep.landscape.LandscapeReader;
import lockstep.landscape.Names;
import lockstep.localcloud.Up;
import lockstep.masterdata.engine.parts.Causes;
import lockstep.project.UserFault;
import lockstep.release.AwsDeployment;
import lockstep.release.History;
import lockstep.release.Identity;
import lockstep.release.LogEntry.Action;
import lockstep.release.LogEntry.Result;
import lockstep.release.LogEntry;
import lockstep.release.Release;
import lockstep.release.ReleaseArchive.Unpacked;
import lockstep.release.ReleaseArchive;
import lockstep.release.Shelf;
import software.amazon.awssdk.core.exception.SdkException;

/** Deploys releases to accounts in parallel and logs the results. */
final class ReleaseDelivery implements AutoCloseable {
    /** The number of log entries to read, enough to include the release in force. */
    private static final int LOG = 500;

    private final Main main;
    private final Place place;
    private final Landscape landscape;
    private final Accounts accounts;
    private final Map<String, Shelf> shelves = new ConcurrentHashMap<>();

    /** The result of a deployment in an account. */
    record Outcome(String account, String release, Optional<String> before, Result result, Optional<String> cause, long seconds) {}

    ReleaseDelivery(Main main, Place place) {
        this.main = main;
        this.place = place;
        this.landscape = place.landscape(main);
        this.accounts = place.open(main, landscape, Names.deployRole());
    }

    Landscape landscape() {
        return landscape;
    }

    Shelf shelf(Account account) {
        return shelves.computeIfAbsent(account.name(), name -> new Shelf(account, accounts.account(account)));
    }

    History history(Account account) {
        return shelf(account).exists() ? History.of(shelf(account).log(LOG)) : new History(List.of());
    }

    /**
     * Downloads a stored release from the first preferred account that has it, or from any other. All accounts that have it must have the
     * same archive.
     */
    ReleaseArchive fetch(String name, List<Account> preferred) {
        var all = new ArrayList<>(preferred);
        landscape.accounts().stream().filter(account -> !all.contains(account)).forEach(all::add);
        var found = new LinkedHashMap<Account, Release>();
        for (Account account : all) {
            if (shelf(account).exists()) shelf(account).find(name).ifPresent(release -> found.put(account, release));
        }
        if (found.isEmpty()) throw new UserFault("no account stores a release " + name + "; see lockstep release list");
        var digests = found.values().stream().map(Release::digest).distinct().toList();
        if (digests.size() > 1) {
            throw new UserFault("release " + name + " is not the same everywhere: " + found.entrySet().stream()
                    .map(e -> e.getKey().name() + " has " + e.getValue().shortDigest()).collect(Collectors.joining(", ")));
        }
        var first = found.entrySet().iterator().next();
        return shelf(first.getKey()).fetch(first.getValue(), archives().resolve(first.getValue().digest() + ".zip"));
    }

    /** Returns the local directory of archives. */
    Path archives() {
        try {
            return Files.createDirectories(main.files().home().resolve("releases"));
        } catch (java.io.IOException e) {
            throw new UserFault("cannot create " + main.files().home().resolve("releases") + ": " + e.getMessage(), e);
        }
    }

    /** Deploys, and returns the outcomes in landscape order. A failure in one account does not stop the others. */
    List<Outcome> deploy(Map<Account, ReleaseArchive> wanted, Action action) {
        var identities = new LinkedHashMap<Account, LogEntry>();
        // all entries get the same time and id, so that the log shows them together
        Instant now = Instant.now().truncatedTo(ChronoUnit.MILLIS);
        String id = Long.toString(now.toEpochMilli(), 36);
        wanted.forEach((account, archive) -> {
            var who = Identity.of(accounts.account(account), System.getenv());
            identities.put(account,
                    new LogEntry(id, now, account.name(), action, Optional.of(archive.release().name()), history(account).inForce(),
                            who.who(), who.job(),
                            Result.started, Optional.empty(), Optional.empty(), Optional.of(archive.release().digest())));
        });
        var outcomes = new ConcurrentHashMap<String, Outcome>();
        var byArchive = new LinkedHashMap<ReleaseArchive, List<Account>>();
        wanted.forEach((account, archive) -> byArchive.computeIfAbsent(archive, a -> new ArrayList<>()).add(account));
        // check before an archive is stored, because that assigns its name
        if (place.isAws()) byArchive.keySet().forEach(archive -> archive.release().requireImages());
        byArchive.forEach((archive, into) -> {
            var unpacked = archive.unpack(archives().resolve(archive.release().digest().substring(0, 16)));
            if (place.isAws()) {
                // deploy new source accounts first, because the others subscribe to their topics
                var first = into.stream().filter(account -> isSource(account) && !shelf(account).exists()).toList();
                first.forEach(
                        account -> outcomes.put(account.name(), deployOne(archive, unpacked, List.of(account), identities).getFirst()));
                try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
                    into.stream().filter(account -> !first.contains(account))
                            .forEach(account -> executor.submit(() -> outcomes.put(account.name(),
                                    deployOne(archive, unpacked, List.of(account), identities).getFirst())));
                }
            } else {
                deployOne(archive, unpacked, into, identities).forEach(outcome -> outcomes.put(outcome.account(), outcome));
            }
        });
        return landscape.accounts().stream().map(account -> outcomes.get(account.name())).filter(java.util.Objects::nonNull).toList();
    }

    private boolean isSource(Account account) {
        return landscape.dataSets().stream().anyMatch(dataSet -> landscape.accountOf(dataSet.source()).equals(account));
    }

    private List<Outcome> deployOne(ReleaseArchive archive, Unpacked unpacked, List<Account> into, Map<Account, LogEntry> begun) {
        var kept = into.stream().filter(account -> shelf(account).exists()).toList();
        Optional<String> failure = Optional.empty();
        try {
            kept.forEach(account -> keep(account, archive, begun.get(account)));
            deployTo(unpacked, into);
            // the first deployment created the bucket
            into.stream().filter(account -> !kept.contains(account)).forEach(account -> keep(account, archive, begun.get(account)));
        } catch (RuntimeException e) {
            // any exception ends this deployment and must be logged
            failure = Optional.of(e instanceof UserFault fault ? fault.report() : Causes.message(e));
        }
        var outcomes = new ArrayList<Outcome>();
        for (Account account : into) {
            var ended = begun.get(account).ended(Instant.now().truncatedTo(ChronoUnit.MILLIS), failure);
            // if the log cannot be written, report that without changing the outcome of the deployment
            try {
                if (shelf(account).exists()) shelf(account).record(ended);
            } catch (SdkException | UserFault e) {
                main.progress().note("could not write to the log of " + account.name() + ": " + e.getMessage());
            }
            outcomes.add(new Outcome(account.name(), archive.release().name(), ended.before(), ended.result(), ended.cause(),
                    ended.seconds().orElse(0L)));
        }
        return outcomes;
    }

    private void keep(Account account, ReleaseArchive archive, LogEntry begun) {
        shelf(account).keep(archive);
        shelf(account).record(begun);
    }

    private void deployTo(Unpacked unpacked, List<Account> into) {
        var released = LandscapeReader.read(unpacked.landscape());
        if (place.isAws()) {
            var deployment = new AwsDeployment(main.files(), landscape.region(), unpacked.assembly());
            for (Account account : into) deployment.deploy(account, accounts.account(account), released.dataSets());
            return;
        }
        // use the local accounts and shards, including temporary ones, and the data sets of the release
        var local = new Landscape(landscape.product(), unpacked.release().name(), landscape.region(), landscape.accounts(),
                released.dataSets(), landscape.differences(), landscape.delivery(), released.migrations());
        main.files().exclusively(() -> new Up(main.files(), main.declaredFile(), main.landscapeFile(), local, main.progress())
                .deploy(unpacked.assembly(), into,
                        account -> Place.token().isPresent() ? accounts.account(account).environment() : Up.root(account)));
    }

    @Override
    public void close() {
        shelves.values().forEach(Shelf::close);
        accounts.close();
    }
}
