package lockstep.migration.run;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.PartStore;
import lockstep.masterdata.engine.postgres.Database;
import lockstep.masterdata.engine.postgres.Streams;
import lockstep.migration.derive.Checks.Difference;
import lockstep.migration.derive.Checks;
import lockstep.migration.derive.Derivation.Account;
import lockstep.migration.derive.Derivation;
import lockstep.migration.derive.Migration.Entity;
import lockstep.migration.derive.Migration;
import lockstep.migration.land.Landing;
import lockstep.migration.source.Source;
import lockstep.migration.source.SourceTable;

/** Runs a whole migration: lands, derives, sets sequences, accounts for every row and compares results. It can be repeated at any time. */
public final class MigrationRun {
    private final Migration migration;
    private final Source source;
    private final Database target;
    private final PartStore store;
    private final int streams;
    private final long rootsInChunk;

    /** A step that has ended. @param rows the rows that it copied or read; 0 if it only changed definitions */
    public record Step(String name, Duration took, long rows) {}

    /** What has become of every old row, and which results differ. */
    public record Result(List<Account> accounts, List<Difference> differences) {
        /** Whether every row is accounted for, and no result differs that may not. */
        public boolean isRight() {
            return accounts.stream().allMatch(Account::isComplete)
                    && differences.stream().allMatch(difference -> difference.allowed().isPresent());
        }
    }

    /**
     * @param streams      the number of connections to the source, and as many to the target
     * @param rootsInChunk the number of roots that are derived in one transaction
     */
    public MigrationRun(Migration migration, Source source, Database target, PartStore store, int streams, long rootsInChunk) {
        this.migration = migration;
        this.source = source;
        this.target = target;
        this.store = store;
        this.streams = streams;
        this.rootsInChunk = rootsInChunk;
    }

    /** Runs, and tells each step that has ended. */
    public Result run(Consumer<Step> ended) {
        timed("land", ended, () -> {
            // the source need not answer any more once everything was read
            var landing = new Landing(migration.name(), target, store, streams);
            var tables = landing.manifest().isPresent() ? List.<SourceTable>of() : chosen();
            return landing.land(source, tables, progress -> {}).tables().stream().mapToLong(table -> table.content().rows()).sum();
        });
        var derivation = new Derivation(migration, target);
        timed("number", ended, () -> {
            derivation.prepare();
            return 0L;
        });
        for (Entity entity : migration.entities())
            timed("derive " + entity.name(), ended, () -> {
                var chunks = derivation.chunks(entity, rootsInChunk);
                Streams.forEach(streams, chunks, target, connection -> {}, (connection, chunk) -> {
                    derivation.derive(connection, chunk);
                    return chunk;
                });
                return chunks.isEmpty() ? 0 : chunks.getLast().until() - chunks.getFirst().from();
            });
        derivation.setSequences();
        var accounts = derivation.accounts();
        var differences = new Checks(migration, target).run();
        return new Result(accounts, differences);
    }

    private List<SourceTable> chosen() {
        var all = source.tables();
        return migration.tables().stream().map(table -> all.stream().filter(there -> there.name().equals(table.name())).findFirst()
                .orElseThrow(() -> new Fault.SourceRefused("the source has no table " + table.name() + "; it has "
                        + String.join(", ", all.stream().map(there -> there.name()).toList()))))
                .toList();
    }

    private static void timed(String name, Consumer<Step> ended, Supplier<Long> step) {
        var begun = Instant.now();
        long rows = step.get();
        ended.accept(new Step(name, Duration.between(begun, Instant.now()), rows));
    }
}
