package lockstep.sync;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import lockstep.landscape.Account;
import lockstep.landscape.DataSet;
import lockstep.landscape.Shard;
import lockstep.masterdata.schema.Finding.Severity;
import lockstep.masterdata.schema.Finding;
import lockstep.masterdata.schema.SchemaComparison;
import lockstep.masterdata.schema.ShardInspection;
import lockstep.project.TextTable;

/**
 * Findings that would make a sync fail or behave unexpectedly. Each target is compared with the source, and both with the data set.
 *
 * @param checked   the shards that answered
 * @param unchecked the shards that could not be checked, with the reason
 */
public record CheckReport(List<Problem> findings, List<String> checked, List<Unchecked> unchecked) {
    /**
     * A finding and all shards that have it.
     *
     * @param remedies more than one if the statement differs between shards, for example in the name of a login
     */
    record Problem(Severity severity, String dataSet, String place, String what, List<String> shards, List<Remedy> remedies) {}

    record Remedy(List<String> shards, String remedy) {}

    record Unchecked(String shard, String cause) {}

    /** The answer of a shard about its schema. */
    @JsonInclude(JsonInclude.Include.NON_ABSENT)
    record Asked(String shard, boolean source, Optional<ShardInspection.Answer> answer, Optional<String> unreachable) {}

    private record Key(Severity severity, String dataSet, String place, String what) {}

    public boolean has(Severity severity) {
        return findings.stream().anyMatch(f -> f.severity() == severity);
    }

    /** Queries the source and the targets of a data set in parallel. */
    public static CheckReport read(SyncAccess access, List<String> targets) {
        var asking = new ArrayList<Future<Asked>>();
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Account account : access.landscape().accounts())
                for (Shard shard : account.shards()) {
                    boolean source = shard.name().equals(access.dataSet().source());
                    if (source || targets.contains(shard.name())) asking.add(executor.submit(() -> {
                        try (var reporter = new ShardReporter(access.statusOf(account, shard), shard, access.dataSet())) {
                            var described = reporter.schema(source);
                            return new Asked(shard.name(), source, described.answer(), described.unreachable());
                        }
                    }));
                }
        }
        return of(access.dataSet(), asking.stream().map(CheckReport::result).toList());
    }

    private static Asked result(Future<Asked> future) {
        try {
            return future.get();
        } catch (ExecutionException | InterruptedException e) {
            throw new IllegalStateException("a shard could not be queried: " + e.getMessage(), e);
        }
    }

    /** Creates the report. If the source did not answer, each target is checked alone and counts as unchecked. */
    static CheckReport of(DataSet dataSet, List<Asked> asked) {
        var found = new LinkedHashMap<Key, Map<String, List<String>>>();
        var checked = new ArrayList<String>();
        var unchecked = new ArrayList<Unchecked>();
        var source = asked.stream().filter(Asked::source).findFirst();
        var there = source.flatMap(Asked::answer);
        for (Asked shard : asked) {
            if (shard.answer().isEmpty()) {
                unchecked.add(new Unchecked(shard.shard(), shard.unreachable().orElse("no answer")));
                continue;
            }
            var here = shard.answer().get();
            var findings = new ArrayList<>(here.findings());
            if (shard.source()) findings.addAll(SchemaComparison.ofSource(dataSet, here.description()));
            else if (there.isPresent()) {
                findings.addAll(SchemaComparison.ofTarget(dataSet, there.get().description(), here.description()));
                findings.addAll(SchemaComparison.sequences(dataSet, here.description(), there.get().highest()));
            }
            if (shard.source() || there.isPresent()) checked.add(shard.shard());
            else unchecked.add(
                    new Unchecked(shard.shard(), "it could not be compared, because the source " + dataSet.source() + " did not answer"));
            for (Finding finding : findings)
                found.computeIfAbsent(new Key(finding.severity(), dataSet.name(), finding.place(), finding.what()),
                        k -> new LinkedHashMap<>())
                        .computeIfAbsent(finding.remedy(), r -> new ArrayList<>()).add(shard.shard());
        }
        var problems = new ArrayList<Problem>();
        found.forEach((key, remedies) -> {
            var shards = new LinkedHashSet<String>();
            remedies.values().forEach(shards::addAll);
            problems.add(new Problem(key.severity(), key.dataSet(), key.place(), key.what(), List.copyOf(shards),
                    remedies.entrySet().stream().map(r -> new Remedy(List.copyOf(r.getValue()), r.getKey())).toList()));
        });
        problems.sort(Comparator.comparing(Problem::severity));
        return new CheckReport(problems, checked, unchecked);
    }

    /** Merges the reports of several data sets. */
    public static CheckReport all(List<CheckReport> reports) {
        var findings = new ArrayList<Problem>();
        var checked = new LinkedHashSet<String>();
        var unchecked = new LinkedHashSet<Unchecked>();
        for (CheckReport report : reports) {
            findings.addAll(report.findings());
            checked.addAll(report.checked());
            unchecked.addAll(report.unchecked());
        }
        findings.sort(Comparator.comparing(Problem::severity));
        unchecked.forEach(u -> checked.remove(u.shard()));
        return new CheckReport(findings, List.copyOf(checked), List.copyOf(unchecked));
    }

    /** Formats each finding with its place, and the remedies below. Findings with the same remedies share them. */
    public String table() {
        var lines = new ArrayList<String>();
        if (!findings.isEmpty()) {
            var table = new TextTable().left("severity", 8).left("shards", 0).left("where", 0).left("what", 0);
            var groups = new LinkedHashMap<List<Object>, List<Problem>>();
            for (Problem problem : findings)
                groups.computeIfAbsent(List.of(problem.severity(), problem.remedies()), g -> new ArrayList<>()).add(problem);
            for (var group : groups.values()) {
                for (Problem problem : group)
                    table.row(problem.severity(), String.join(", ", problem.shards()), problem.place(), problem.what());
                var remedies = group.getFirst().remedies();
                for (Remedy remedy : remedies) table.note("          fix"
                        + (remedies.size() == 1 ? "" : " for " + String.join(", ", remedy.shards())) + ": " + remedy.remedy());
            }
            lines.add(table + "\n");
        }
        for (Unchecked shard : unchecked) lines.add("unchecked " + shard.shard() + ": " + shard.cause());
        lines.add(summary());
        return String.join("\n", lines);
    }

    private String summary() {
        long errors = findings.stream().filter(f -> f.severity() == Severity.error).count();
        long warnings = findings.size() - errors;
        String of = checked.isEmpty() ? "no shard" : String.join(", ", checked);
        String found = findings.isEmpty() ? "Nothing was found" : counted(errors, "error") + " and " + counted(warnings, "warning");
        return found + " in " + of + "." + (unchecked.isEmpty() ? "" : " " + counted(unchecked.size(), "shard") + " could not be checked.");
    }

    private static String counted(long n, String noun) {
        return n + " " + noun + (n == 1 ? "" : "s");
    }
}
