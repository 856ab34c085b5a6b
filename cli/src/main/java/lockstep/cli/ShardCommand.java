package lockstep.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Scanner;
import java.util.concurrent.Callable;
import lockstep.landscape.Account;
import lockstep.landscape.Edition;
import lockstep.landscape.Interval;
import lockstep.landscape.Landscape;
import lockstep.landscape.LandscapeReader;
import lockstep.landscape.Purpose;
import lockstep.localcloud.LocalCloud;
import lockstep.localcloud.Page;
import lockstep.localcloud.Removal;
import lockstep.localcloud.TemporaryShards.TemporaryShard;
import lockstep.localcloud.TemporaryShards;
import lockstep.localcloud.Up;
import lockstep.project.TextTable;
import lockstep.project.UserFault;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "shard",
        description = "Manages temporary shards of the demo edition for QA, in addition to those of lockstep.yaml.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {ShardCommand.UpOne.class, ShardCommand.DownOne.class, ShardCommand.ListAll.class, ShardCommand.Expire.class},
        footer = {"", "Only on the local cloud. On AWS, add the shard to lockstep.yaml and deploy it."})
final class ShardCommand implements Callable<Integer> {
    private static final String NAME = "(?=.{1,30}$)[a-z][a-z0-9]*(-[a-z0-9]+)*";

    @ParentCommand private Main main;

    @Override
    public Integer call() {
        throw new WrongUsage("missing subcommand: up, down, list or expire");
    }

    @Command(mixinStandardHelpOptions = true, name = "up",
            description = "Creates a shard: deploys it, fills it with the master data, and opens it to browsers.")
    static final class UpOne implements Callable<Integer> {
        @ParentCommand private ShardCommand parent;

        @Parameters(paramLabel = "NAME", description = "A name such as qa-demo-2; the host is NAME.localhost.") private String name;

        @Option(names = "--edition", paramLabel = "demo", required = true,
                description = "The edition; only demo is possible.") private Edition edition;

        @Option(names = "--account", paramLabel = "NAME",
                description = "An account of purpose qa (default: the only one).") private String account;

        @Option(names = "--ttl", paramLabel = "TIME", defaultValue = "8h",
                description = "How long it exists, such as 30m, 8h or 2d (default: ${DEFAULT-VALUE}).") private String ttl;

        @Override
        public Integer call() {
            var expires = Instant.now().plus(duration()).truncatedTo(ChronoUnit.SECONDS);
            account(parent.main.landscape());
            parent.main.files().exclusively(() -> {
                parent.requireUp();
                parent.expire();
                var shard = new TemporaryShard(name, account(parent.main.landscape()).name(), edition, expires, false);
                parent.temporary().add(shard);
                parent.up(shard);
                parent.main.answer(parent.described(shard),
                        name + " is up until " + expires + "\n  " + parent.page(name).map(Page::url).orElse("(no proxy routes to it)"));
            });
            return 0;
        }

        private Duration duration() {
            if (!ttl.matches(Interval.PATTERN)) {
                throw new WrongUsage("--ttl takes a number of minutes, hours or days, such as 30m, 8h or 2d, not '" + ttl + "'");
            }
            return Interval.parse(ttl);
        }

        /** Returns the account for the shard, after checking the options. */
        private Account account(Landscape landscape) {
            if (edition == Edition.PRODUCTION) {
                throw new WrongUsage(
                        "a shard of the production edition holds customers' data: declare it in lockstep.yaml, where changes are "
                                + "reviewed");
            }
            if (landscape.product().isEmpty()) {
                throw new WrongUsage("lockstep.yaml has no product that a temporary shard could run");
            }
            if (!name.matches(NAME)) {
                throw new WrongUsage(
                        "'" + name + "' is not a name of at most 30 lowercase letters, digits and single hyphens, starting with a "
                                + "letter; write it like qa-demo-2");
            }
            landscape.accounts().stream().filter(known -> known.shards().stream().anyMatch(shard -> shard.name().equals(name))).findFirst()
                    .ifPresent(known -> {
                        throw new WrongUsage("'" + name + "' is already a shard of account " + known.name() + parent.temporary().find(name)
                                .map(shard -> ", until " + shard.expires() + "; to delete it: lockstep shard down " + name).orElse(""));
                    });
            var qa = landscape.accounts().stream().filter(known -> known.purpose() == Purpose.QA).toList();
            var names = String.join(", ", qa.stream().map(Account::name).toList());
            if (account == null) {
                if (qa.size() != 1) {
                    throw new WrongUsage(qa.isEmpty() ? "there is no account of purpose qa" : "choose an account with --account: " + names);
                }
                return qa.getFirst();
            }
            Account named = landscape.accounts().stream().filter(known -> known.name().equals(account)).findFirst()
                    .orElseThrow(() -> new WrongUsage("there is no account '" + account + "'; write one of purpose qa: " + names));
            if (named.purpose() != Purpose.QA) {
                throw new WrongUsage("account " + account + " is of purpose " + named.purpose().name().toLowerCase(java.util.Locale.ROOT)
                        + ", but temporary shards need purpose qa: " + names);
            }
            return named;
        }
    }

    @Command(mixinStandardHelpOptions = true, name = "down", description = "Deletes a temporary shard with all its data.")
    static final class DownOne implements Callable<Integer> {
        @ParentCommand private ShardCommand parent;

        @Parameters(paramLabel = "NAME") private String name;

        @Option(names = "--dry-run", description = "Print what would be deleted, and change nothing.") private boolean dryRun;

        @Option(names = "--yes", description = "Do not ask for confirmation.") private boolean yes;

        @Override
        public Integer call() {
            var shard = parent.temporary().find(name).orElseThrow(() -> new WrongUsage(parent.declared().accounts().stream()
                    .filter(account -> account.shards().stream().anyMatch(known -> known.name().equals(name))).findFirst()
                    .map(account -> "'" + name + "' is a shard of account " + account.name() + " in lockstep.yaml: remove it there")
                    .orElse("there is no shard '" + name + "'; see lockstep shard list")));
            var removal = parent.removal(shard);
            if (!dryRun && !yes && !confirmed(removal.plan())) {
                return 1;
            }
            parent.main.files().exclusively(() -> {
                if (!dryRun) {
                    parent.requireUp();
                    removal.run();
                }
                parent.main.answer(Map.of("shard", name, "removed", !dryRun, "plan", removal.plan()),
                        String.join("\n", removal.plan().stream().map(what -> (dryRun ? "would delete  " : "deleted  ") + what).toList()));
            });
            return 0;
        }

        private boolean confirmed(List<String> plan) {
            if (!parent.main.terminal()) {
                throw new WrongUsage(
                        "cannot ask for confirmation without a terminal: give --yes, or --dry-run to see what would be deleted");
            }
            plan.forEach(what -> System.err.println("deletes  " + what));
            System.err.print("Delete all this? [y/N] ");
            return new Scanner(System.in, java.nio.charset.StandardCharsets.UTF_8).nextLine().strip().equalsIgnoreCase("y");
        }
    }

    @Command(mixinStandardHelpOptions = true, name = "list",
            description = "Lists every shard and when it expires. Deletes expired shards first.")
    static final class ListAll implements Callable<Integer> {
        @ParentCommand private ShardCommand parent;

        @Override
        public Integer call() {
            if (parent.temporary().list().stream().anyMatch(TemporaryShard::isExpired)) {
                parent.main.files().exclusively(parent::expire);
            }
            var shards = new ArrayList<Map<String, Object>>();
            var table = new TextTable().left("shard", 13).left("account", 11).left("edition", 10).left("until", 21).left("url", 0);
            for (Account account : parent.main.landscape().accounts()) {
                for (var shard : account.shards()) {
                    var described = parent.described(shard.name(), account.name(), shard.edition(),
                            parent.temporary().find(shard.name()).map(TemporaryShard::expires));
                    shards.add(described);
                    table.row(shard.name(), account.name(), shard.edition().word(), Optional.ofNullable(described.get("expires")),
                            Optional.ofNullable(described.get("url")));
                }
            }
            parent.main.answer(Map.of("shards", shards), table.toString());
            return 0;
        }
    }

    @Command(mixinStandardHelpOptions = true, name = "expire",
            description = "Deletes every expired shard. This also runs automatically when a shard expires.")
    static final class Expire implements Callable<Integer> {
        @ParentCommand private ShardCommand parent;

        @Override
        public Integer call() {
            parent.main.files().exclusively(() -> {
                var gone = parent.expire();
                parent.main.answer(Map.of("expired", gone),
                        gone.isEmpty() ? "no shard has expired" : "deleted: " + String.join(", ", gone));
            });
            return 0;
        }
    }

    private TemporaryShards temporary() {
        return new TemporaryShards(main.files());
    }

    private Landscape declared() {
        return main.declaredLandscape();
    }

    private Removal removal(TemporaryShard shard) {
        return new Removal(main.files(), main.declaredFile(), shard, main.progress());
    }

    private void requireUp() {
        LocalCloud.open(main.files(), main.landscape()).close();
    }

    /** Applies the landscape with the new shard to its account. */
    private void up(TemporaryShard shard) {
        Path file = temporary().landscape(main.declaredFile());
        try {
            new Up(main.files(), main.declaredFile(), file, LandscapeReader.read(file), main.progress()).change(shard.account(),
                    Optional.of(new InitialSync(main.terminal(), main.colour(), main.landscapeOption())));
        } catch (UserFault e) {
            main.progress().note("shard " + shard.name() + " is not complete. To continue: lockstep up. To delete it: lockstep shard down "
                    + shard.name());
            throw e;
        }
    }

    private List<String> expire() {
        var gone = temporary().list().stream().filter(TemporaryShard::isExpired).toList();
        if (!gone.isEmpty()) {
            requireUp();
        }
        gone.forEach(shard -> removal(shard).run());
        return gone.stream().map(TemporaryShard::name).toList();
    }

    private Map<String, Object> described(TemporaryShard shard) {
        return described(shard.name(), shard.account(), shard.edition(), Optional.of(shard.expires()));
    }

    private Map<String, Object> described(String name, String account, Edition edition, Optional<Instant> expires) {
        var described = new LinkedHashMap<String, Object>();
        described.put("shard", name);
        described.put("account", account);
        described.put("edition", edition.word());
        described.put("temporary", expires.isPresent());
        described.put("expires", expires.orElse(null));
        described.put("url", page(name).map(Page::url).orElse(null));
        return described;
    }

    private Optional<Page> page(String shard) {
        try (var cloud = LocalCloud.open(main.files(), main.landscape())) {
            return cloud.pages().stream().filter(page -> page.shard().equals(shard)).findFirst();
        } catch (UserFault down) {
            return Optional.empty();
        }
    }
}
