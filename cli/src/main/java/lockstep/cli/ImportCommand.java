package lockstep.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import lockstep.accounts.AccountAccess;
import lockstep.landscape.Account;
import lockstep.landscape.DataSet;
import lockstep.landscape.Landscape;
import lockstep.landscape.Names;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.imports.TableImport.Answer;
import lockstep.masterdata.engine.imports.TableImport.Kind;
import lockstep.masterdata.engine.imports.TableImport.Outcome;
import lockstep.masterdata.engine.imports.TableImport.Referring;
import lockstep.masterdata.engine.imports.TableImport.Rounded;
import lockstep.masterdata.engine.imports.TableImport.Sample;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.SyncPaths;
import lockstep.poll.Poll;
import lockstep.sync.Execution;
import lockstep.sync.SyncAccess;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.sfn.SfnClient;
import tools.jackson.databind.DeserializationFeature;

@Command(mixinStandardHelpOptions = true, name = "import",
        description = "Imports a new version of a code list into the source shard: makes the table equal to the file, in one transaction.",
        footer = {"",
                "The file is CSV with commas, in UTF-8. Its header names the table's columns in lockstep.yaml, in any order. "
                        + "An empty field is NULL, \"\" is an empty text.",
                "Rows that are not in the file are deleted, except those that other rows refer to. The next sync updates the shards.",
                "Exit code: 0 when the import is done, 1 when the file was refused or the import failed, 2 on wrong usage, 3 when it is "
                        + "still running at --timeout."})
final class ImportCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Mixin private Place place;

    @Parameters(index = "0", paramLabel = "TABLE",
            description = "As in SQL or without quotes, such as master.drug or 'Order Desk.lineItem'.") private String givenTable;

    @Parameters(index = "1", paramLabel = "FILE.csv", description = "All rows of the new version.") private Path file;

    @Mixin private ChosenDataSet chosen;

    @Option(names = "--dry-run",
            description = "Print the difference and change nothing. The import runs and is rolled back, so it reports every error that the "
                    + "import would.") private boolean dryRun;

    @Option(names = "--round",
            description = "Accept values that the column rounds or truncates, such as 1.005 in numeric(10,2), and list them (default: "
                    + "refuse them).") private boolean round;

    @Mixin private Timeout timeout;

    @Override
    public Integer call() throws InterruptedException {
        Landscape landscape = place.landscape(main);
        DataSet dataSet = chosen.in(landscape);
        String tableName = dataSet.table(givenTable).map(Table::name)
                .orElseThrow(() -> new WrongUsage("data set '" + dataSet.name() + "' has no table '" + givenTable + "'"
                        + dataSet.nearestTable(givenTable).map(nearest -> "; did you mean " + nearest + "?").orElseGet(
                                () -> "; it has " + dataSet.tables().stream().map(Table::name).collect(Collectors.joining(", ")))));
        if (!Files.isRegularFile(file) || !Files.isReadable(file))
            throw new WrongUsage("file " + file + " does not exist or cannot be read");
        timeout.check();
        Account account = landscape.accountOf(dataSet.source());
        String region = landscape.regionOf(account);
        String id = (dryRun ? "try-" : "") + SyncAccess.newSyncId();
        try (var accounts = place.open(main, landscape)) {
            var access = accounts.account(account).assume(Names.roleArn(region, account.id(), Names.importRole()), "lockstep-cli");
            System.err.println(
                    (dryRun ? "dry run of import " : "import ") + id + " of " + file + " into " + tableName + " of " + dataSet.source());
            put(access, Names.bucket(account.id(), region), new SyncPaths(dataSet.name(), id).imported());
            return run(access, dataSet, tableName,
                    Names.statesArn(region, account.id(), "stateMachine", Names.importMachine()),
                    Names.statesArn(region, account.id(), "execution",
                            Names.importMachine() + ":" + Names.execution(dataSet.name(), id)),
                    id);
        }
    }

    private void put(AccountAccess access, String bucket, String key) {
        try (var s3 = access.client(S3Client.builder().forcePathStyle(true))) {
            s3.putObject(r -> r.bucket(bucket).key(key), RequestBody.fromFile(file));
        }
    }

    private int run(AccountAccess access, DataSet dataSet, String tableName, String machineArn, String arn, String id)
            throws InterruptedException {
        try (var sfn = access.client(SfnClient.builder())) {
            sfn.startExecution(r -> r.stateMachineArn(machineArn).name(Names.execution(dataSet.name(), id))
                    .input(Json.MAPPER.writeValueAsString(Map.of("table", tableName, "dryRun", dryRun, "round", round))));
            var execution = Poll.until(timeout.deadline(), () -> Execution.read(sfn, arn).filter(e -> !e.running()),
                    Optional::isPresent, e -> {});
            if (execution.isPresent()) return report(execution.get());
            System.err.println("Still running after --timeout; execution " + arn);
            return Main.UNDECIDED;
        }
    }

    private int report(Execution execution) {
        if (!execution.succeeded()) throw new IllegalStateException("the import failed: " + execution.cause());
        Answer answer = Json.MAPPER.readerFor(Answer.class).without(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .readValue(execution.described().output());
        main.answer(answer,
                answer.outcome().map(ImportCommand::text).orElseGet(() -> file + " was refused\n" + answer.refused().orElse("?")));
        return answer.outcome().isPresent() ? 0 : 1;
    }

    /** Formats the difference as text. */
    static String text(Outcome outcome) {
        var text = new StringBuilder(String.format(Locale.ROOT,
                "%s: %,d %s in the file%n%,d inserted, %,d updated, %,d deleted, %,d kept because other rows refer to them%n",
                outcome.table(), outcome.rows(), outcome.rows() == 1 ? "row" : "rows", outcome.inserted(), outcome.updated(),
                outcome.deleted(), outcome.kept()));
        for (Kind kind : Kind.values())
            for (Sample sample : outcome.samples())
                if (sample.kind() == kind) text.append(line(sample)).append(System.lineSeparator());
        for (Referring referring : outcome.referring())
            text.append(String.format(Locale.ROOT,
                    referring.rows() == 1 ? "%,d row of %s refers by %s to a row that is not in the file%n"
                            : "%,d rows of %s refer by %s to rows that are not in the file%n",
                    referring.rows(), referring.table(), String.join(", ", referring.columns())));
        if (outcome.rounded() > 0) {
            text.append(String.format(Locale.ROOT,
                    outcome.rounded() == 1 ? "%,d value is rounded or truncated%n" : "%,d values are rounded or truncated%n",
                    outcome.rounded()));
            for (Rounded rounded : outcome.roundings())
                text.append(String.format(Locale.ROOT, "  line %d, %s: %s → %s%n", rounded.line(), rounded.column(),
                        shown(rounded.written()), shown(rounded.kept())));
        }
        boolean nothing = outcome.inserted() + outcome.updated() + outcome.deleted() == 0;
        return text.append(nothing ? "The table equals the file." : outcome.dryRun() ? "Nothing was changed."
                : "Imported in one transaction. To update the shards: lockstep sync").toString();
    }

    private static String line(Sample sample) {
        return switch (sample.kind()) {
            case inserted -> "  + " + values(sample.after());
            case deleted -> "  - " + values(sample.before());
            case kept -> "  = " + values(sample.before());
            case updated -> "  ~ " + sample.before().entrySet().stream()
                    .map(e -> changed(e.getKey(), e.getValue(), sample.after().get(e.getKey()))).collect(Collectors.joining(", "));
        };
    }

    private static String changed(String column, String before, String after) {
        return column + "=" + shown(before) + (shown(before).equals(shown(after)) ? "" : " → " + shown(after));
    }

    private static String values(Map<String, String> row) {
        return row.entrySet().stream().map(e -> e.getKey() + "=" + shown(e.getValue())).collect(Collectors.joining(", "));
    }

    private static String shown(String value) {
        return Optional.ofNullable(value).map(v -> v.isEmpty() ? "\"\"" : v.replace("\r", "\\r").replace("\n", "\\n")).orElse("NULL");
    }
}
