package lockstep.infra;

import static lockstep.infra.Workflow.caught;
import static lockstep.infra.Workflow.invoke;
import static lockstep.infra.Workflow.retry;
import static lockstep.infra.Workflow.sorted;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import lockstep.landscape.DataSet;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.services.stepfunctions.CatchProps;
import software.amazon.awscdk.services.stepfunctions.Chain;
import software.amazon.awscdk.services.stepfunctions.Choice;
import software.amazon.awscdk.services.stepfunctions.Condition;
import software.amazon.awscdk.services.stepfunctions.DistributedMap;
import software.amazon.awscdk.services.stepfunctions.Fail;
import software.amazon.awscdk.services.stepfunctions.IChainable;
import software.amazon.awscdk.services.stepfunctions.JsonPath;
import software.amazon.awscdk.services.stepfunctions.Pass;
import software.amazon.awscdk.services.stepfunctions.RetryProps;
import software.amazon.awscdk.services.stepfunctions.StateMachineType;
import software.amazon.awscdk.services.stepfunctions.Succeed;
import software.constructs.Construct;

/**
 * The states of a restore. A shard that fails does not stop the others; its failure is reported at the end.
 *
 * @param constants the handlers' input by data set, without the execution's input: data set, sync id, bucket and manifest, and optionally
 *                  the terms {@code mode}, {@code dryRun} and {@code shard}, which restricts the restore to one shard
 * @param shards    name and secret of each shard of the account that receives a data set
 */
record RestoreDefinition(NetworkStack network, Map<DataSet, Map<String, Object>> constants, List<Map<String, String>> shards,
        HandlerFunction restoreShards, EngineTask engine) {
    private static final Object SYNC = JsonPath.objectAt("$.sync");
    private static final Object TASK = JsonPath.objectAt("$.task");
    private static final Object SHARD = JsonPath.objectAt("$.shard");

    /** The event of a step in a task. */
    private static final Map<String, String> EVENT = Map.of("SYNC", "$.task", "SHARD", "$.shard");
    /** The history has the changes to each table; for a thousand shards they would exceed the size limit of a state's output. */
    private static final Map<String, Object> MERGED = sorted(Map.of("shard", JsonPath.stringAt("$.shard"), "tables", List.of()));

    IChainable build(Construct scope) {
        var prepared = new LinkedHashMap<DataSet, Map<String, Object>>();
        constants.forEach((dataSet, sync) -> {
            for (var field : List.of("syncId", "bucket", "manifestKey")) {
                sync.put(field, JsonPath.stringAt("$." + field));
            }
            sync.put("terms", JsonPath.objectAt("$"));
            prepared.put(dataSet, sorted(Map.of("sync", sync, "task", Workflow.forTask(sync, dataSet))));
        });
        var unexpected = Pass.Builder.create(scope, "Unexpected")
                .parameters(Map.of("cause", JsonPath.stringAt("$.failure.Cause"))).resultPath("$.record").build();
        var failed = failed(scope);
        unexpected.next(failed);
        var inShards = software.amazon.awscdk.services.stepfunctions.Map.Builder.create(scope, "RestoreShards")
                .itemsPath("$.shards")
                .itemSelector(sorted(Map.of("sync", SYNC, "task", TASK, "shard", JsonPath.objectAt("$$.Map.Item.Value"))))
                .maxConcurrency(network.props().account().limits().shardsAtOnce())
                .resultPath("$.outcomes").build()
                .itemProcessor(restore(scope))
                .addCatch(unexpected, caught());
        var recorded = invoke(scope, restoreShards, "Record", "Record",
                sorted(Map.of("sync", SYNC, "shards", JsonPath.objectAt("$.shards"), "outcomes", JsonPath.objectAt("$.outcomes"))),
                "$.record");
        recorded.addRetry(retry(Workflow.TRANSIENT)).addCatch(unexpected, caught());
        var all = Pass.Builder.create(scope, "Shards").parameters(sorted(Map.of("sync", SYNC, "task", TASK, "shards", shards))).build();
        all.next(inShards).next(recorded)
                .next(new Choice(scope, "AllInStep?").when(Condition.numberGreaterThan("$.record.failed", 0), failed)
                        .otherwise(new Succeed(scope, "Done")));
        return Workflow.forDataSet(scope, prepared, all);
    }

    private IChainable restore(Construct scope) {
        var check = invoke(scope, restoreShards, "Preflight", "Preflight", sorted(Map.of("sync", SYNC, "shard", SHARD)), "$.preflight");
        var refused = outcome(scope, "Preflight", "PreflightFailed");
        var checkInTask = engine.step(scope, "Preflight", EVENT, null, "$.preflight");
        check.addRetry(retry(Workflow.TRANSIENT)).addCatch(checkInTask, Workflow.tooLong()).addCatch(refused, caught());
        checkInTask.addRetry(retry(Workflow.TRANSIENT)).addCatch(refused, caught());

        var stage = DistributedMap.Builder.create(scope, "StageParts")
                .mapExecutionType(StateMachineType.STANDARD)
                .itemsPath("$.preflight.batches")
                .itemSelector(sorted(Map.of("sync", SYNC, "shard", SHARD, "batch", JsonPath.objectAt("$$.Map.Item.Value"))))
                .maxConcurrency(network.props().account().limits().batchesAtOnce())
                .resultPath("$.staged").build();
        var worker = invoke(scope, restoreShards, "StageParts", "StageBatch",
                sorted(Map.of("sync", SYNC, "shard", SHARD, "batch", JsonPath.objectAt("$.batch"))), "$");
        worker.addRetry(retry(Workflow.TRANSIENT));
        stage.itemProcessor(worker.addCatch(Workflow.outcomeOfFailure(scope, "BatchFailed"), caught()));
        var stageFailed = outcome(scope, "StageParts", "StageFailed");
        stage.addCatch(stageFailed, caught());

        var merge = invoke(scope, restoreShards, "Publish", "Publish",
                sorted(Map.of("sync", SYNC, "shard", SHARD, "staged", JsonPath.objectAt("$.staged"))),
                MERGED, "$");
        var mergeInTask = engine.step(scope, "Publish", EVENT, MERGED, "$");
        merge.addCatch(mergeInTask, Workflow.tooLong());
        var mergeFailed = outcome(scope, "Publish", "PublishFailed");
        var retries = List.of(retry(Workflow.TRANSIENT),
                // another restore of this shard is running
                RetryProps.builder().errors(List.of(Workflow.BUSY)).interval(Duration.seconds(5)).backoffRate(1.5).maxAttempts(10)
                        .maxDelay(Duration.minutes(1)).build());
        for (var retry : retries) {
            merge.addRetry(retry);
            mergeInTask.addRetry(retry);
        }
        // the shard is not in the state that Preflight assumed: run Preflight again, which then reads the tables
        var drifted = CatchProps.builder().errors(List.of(Workflow.DRIFTED)).resultPath("$.drift").build();
        // Publish refuses a shard that was not staged completely; the outcome is that of the failed batch
        var notStaged = CatchProps.builder().errors(List.of(Workflow.BATCH_FAILED)).resultPath("$.failure").build();
        merge.addCatch(check, drifted).addCatch(stageFailed, notStaged).addCatch(mergeFailed, caught());
        mergeInTask.addCatch(check, drifted).addCatch(stageFailed, notStaged).addCatch(mergeFailed, caught());
        check.next(stage).next(merge);
        checkInTask.next(stage);
        var selected = Condition.and(Condition.not(Condition.stringEqualsJsonPath("$.sync.dataSet.source", "$.shard.name")),
                Condition.or(Condition.isNotPresent("$.sync.terms.shard"),
                        Condition.stringEqualsJsonPath("$.sync.terms.shard", "$.shard.name")));
        return new Choice(scope, "Selected?").when(selected, check)
                .otherwise(
                        Pass.Builder.create(scope, "NotSelected").parameters(Map.of("shard", JsonPath.stringAt("$.shard.name"))).build());
    }

    /** The result of a shard's restore when this state failed. */
    private static Pass outcome(Construct scope, String state, String id) {
        return Pass.Builder.create(scope, id).parameters(sorted(Map.of(
                "shard", JsonPath.stringAt("$.shard.name"), "state", state,
                "error", JsonPath.stringAt("$.failure.Error"), "cause", JsonPath.stringAt("$.failure.Cause")))).build();
    }

    private Chain failed(Construct scope) {
        var fail = Fail.Builder.create(scope, "RestoreFailed").error("RestoreFailed").causePath("$.record.cause").build();
        var notify = Workflow.notifyOperations(scope, network, "NotifyFailure", sorted(Map.of(
                "syncId", JsonPath.stringAt("$.sync.syncId"), "account", network.props().account().name(), "cause",
                JsonPath.stringAt("$.record.cause"))));
        notify.addCatch(fail, CatchProps.builder().resultPath("$.notify").build());
        return Chain.start(notify).next(fail);
    }
}
