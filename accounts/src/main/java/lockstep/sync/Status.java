package lockstep.sync;

import com.fasterxml.jackson.annotation.JsonValue;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import lockstep.landscape.Account;
import lockstep.landscape.DataSet;
import lockstep.landscape.Shard;
import lockstep.masterdata.engine.parts.Causes;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.Latest;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.parts.SyncPaths;
import lockstep.masterdata.engine.restore.Applied;
import lockstep.masterdata.engine.restore.ShardReport.Rows;
import lockstep.masterdata.engine.restore.ShardReport;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;
import tools.jackson.core.JacksonException;

/** Compares the actual contents of every shard with its source. */
public record Status(List<ShardStatus> shards) {
    /** What a shard holds. If the source is unreachable, shards are compared with the newest sync instead. */
    public enum State {
        /** The same as the source. */
        IN_STEP,
        /** Something else. */
        BEHIND,
        /** No sync was applied. */
        NEVER,
        /** The shard did not answer. */
        UNREACHABLE;

        /** Returns the word in answers, such as {@code in-step}. */
        @JsonValue
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** @param cause why the shard is unreachable; null otherwise */
    public record ShardStatus(String account, String shard, String edition, String dataset, String syncId, Instant snapshotTime,
            Long ageSeconds,
            State state, List<TableStatus> tables, String cause) {}

    /**
     * @param kept rows that were deleted at the source but are still referenced; not included in {@code rows}
     * @param from how this is known
     */
    public record TableStatus(String name, long rows, String digest, long kept, From from) {}

    /** How a table's contents are known. */
    public enum From {
        /** Its rows were read. */
        ROWS,
        /** By its fingerprint, nobody has written to it since a sync whose manifest says what it holds. */
        FINGERPRINT;

        @JsonValue
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private record Asked(Account account, Shard shard, ShardReporter.Answer answer) {
        boolean isSource(DataSet dataSet) {
            return shard.name().equals(dataSet.source());
        }

        Optional<Applied> applied() {
            return answer.report().flatMap(ShardReport::applied);
        }
    }

    /** Queries all shards of the landscape in parallel. Tables to which nobody has written are not read. */
    public static Status read(SyncAccess access) {
        return read(access, false);
    }

    /** @param rows whether every row of every table is read */
    public static Status read(SyncAccess access, boolean rows) {
        var known = rows ? List.<TableManifest>of() : newestTables(access);
        var asked = new ArrayList<Future<Asked>>();
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Account account : access.landscape().accounts())
                for (Shard shard : account.shards())
                    asked.add(executor.submit(ask(access, account, shard, rows ? Rows.ALL : Rows.DOUBTFUL, known)));
        }
        var answers = asked.stream().map(Status::result).toList();
        var newest = answers.stream().flatMap(a -> a.applied().stream()).max(java.util.Comparator.comparing(Applied::snapshotTime));
        var expected = answers.stream().filter(a -> a.isSource(access.dataSet())).flatMap(a -> a.answer().report().stream())
                .map(r -> tables(r))
                .findFirst().or(() -> newest.flatMap(n -> manifestTables(access, n)));
        return new Status(answers.stream().map(a -> status(access.dataSet(), a, newest, expected)).toList());
    }

    private static Callable<Asked> ask(SyncAccess access, Account account, Shard shard, Rows rows, List<TableManifest> known) {
        return () -> {
            try (var reporter = new ShardReporter(access.statusOf(account, shard), shard, access.dataSet())) {
                return new Asked(account, shard, reporter.report(rows, shard.name().equals(access.dataSet().source()) ? known : List.of()));
            }
        };
    }

    private static Asked result(Future<Asked> future) {
        try {
            return future.get();
        } catch (ExecutionException | InterruptedException e) {
            throw new IllegalStateException("a shard could not be queried: " + Causes.message(e), e);
        }
    }

    private static ShardStatus status(DataSet dataSet, Asked asked, Optional<Applied> newest,
            Optional<java.util.Map<String, String>> expected) {
        // the source has no sync in force, so show the newest, which came from it
        var sync = asked.isSource(dataSet) ? newest : asked.applied();
        var tables = asked.answer().report().map(r -> r.tables().stream()
                .map(t -> new TableStatus(t.name(), t.rows(), t.digest().toString(), t.kept(), t.read() ? From.ROWS : From.FINGERPRINT))
                .toList()).orElse(List.of());
        State state = asked.answer().report().map(report -> state(dataSet, asked, report, expected)).orElse(State.UNREACHABLE);
        return new ShardStatus(asked.account().name(), asked.shard().name(),
                asked.shard().edition().word(), dataSet.name(),
                sync.map(Applied::syncId).orElse(null), sync.map(Applied::snapshotTime).orElse(null),
                sync.map(s -> Duration.between(s.snapshotTime(), Instant.now()).toSeconds()).orElse(null), state, tables,
                asked.answer().unreachable().orElse(null));
    }

    private static State state(DataSet dataSet, Asked asked, ShardReport report, Optional<java.util.Map<String, String>> expected) {
        if (asked.isSource(dataSet)) return State.IN_STEP;
        if (report.applied().isEmpty()) return State.NEVER;
        return expected.filter(tables(report)::equals).isPresent() ? State.IN_STEP : State.BEHIND;
    }

    private static java.util.Map<String, String> tables(ShardReport report) {
        var tables = new LinkedHashMap<String, String>();
        report.tables().forEach(t -> tables.put(t.name(), t.rows() + " " + t.digest()));
        return tables;
    }

    private static Optional<java.util.Map<String, String>> manifestTables(SyncAccess access, Applied newest) {
        return object(access, SyncPaths.manifest(access.dataSet().name(), newest.syncId()), Manifest.class).map(manifest -> {
            var tables = new LinkedHashMap<String, String>();
            manifest.tables().forEach(t -> tables.put(t.name(), t.rows() + " " + t.digest()));
            return tables;
        });
    }

    /** Returns the tables of the newest manifest without their parts, which are too large for a function's input. */
    private static List<TableManifest> newestTables(SyncAccess access) {
        String name = access.dataSet().name();
        return object(access, SyncPaths.latest(name), Latest.class)
                .flatMap(latest -> object(access, SyncPaths.manifest(name, latest.syncId()), Manifest.class))
                .map(manifest -> manifest.tables().stream().map(t -> new TableManifest(t.name(), t.columns(), t.key(), t.where(), t.rows(),
                        t.digest(), List.of(), List.of(), t.fingerprint())).toList())
                .orElse(List.of());
    }

    /** Returns empty if the object does not exist or can't be read. */
    private static <T> Optional<T> object(SyncAccess access, String key, Class<T> type) {
        try (var s3 = access.source().client(S3Client.builder().forcePathStyle(true))) {
            return Optional
                    .of(Json.MAPPER.readValue(s3.getObjectAsBytes(r -> r.bucket(access.bucket()).key(key)).asByteArrayUnsafe(), type));
        } catch (SdkException | JacksonException e) {
            return Optional.empty();
        }
    }
}
