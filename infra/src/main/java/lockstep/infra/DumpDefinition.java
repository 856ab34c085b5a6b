package lockstep.infra;

import static lockstep.infra.Workflow.caught;
import static lockstep.infra.Workflow.invoke;
import static lockstep.infra.Workflow.retry;
import static lockstep.infra.Workflow.sorted;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import lockstep.landscape.DataSet;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.services.sns.ITopic;
import software.amazon.awscdk.services.stepfunctions.CatchProps;
import software.amazon.awscdk.services.stepfunctions.Chain;
import software.amazon.awscdk.services.stepfunctions.Choice;
import software.amazon.awscdk.services.stepfunctions.Condition;
import software.amazon.awscdk.services.stepfunctions.DistributedMap;
import software.amazon.awscdk.services.stepfunctions.Fail;
import software.amazon.awscdk.services.stepfunctions.IChainable;
import software.amazon.awscdk.services.stepfunctions.IntegrationPattern;
import software.amazon.awscdk.services.stepfunctions.JsonPath;
import software.amazon.awscdk.services.stepfunctions.Parallel;
import software.amazon.awscdk.services.stepfunctions.RetryProps;
import software.amazon.awscdk.services.stepfunctions.S3JsonItemReader;
import software.amazon.awscdk.services.stepfunctions.StateMachineType;
import software.amazon.awscdk.services.stepfunctions.Succeed;
import software.amazon.awscdk.services.stepfunctions.TaskInput;
import software.amazon.awscdk.services.stepfunctions.Timeout;
import software.amazon.awscdk.services.stepfunctions.tasks.LambdaInvoke;
import software.amazon.awscdk.services.stepfunctions.tasks.SnsPublish;
import software.constructs.Construct;

/**
 * The states of a dump. One step holds the snapshot open while others read in it, so they run in two branches of a Parallel.
 * SealManifest releases the snapshot. A branch that fails releases it too, so that the other branch does not wait in vain.
 *
 * @param constants the handlers' input by data set, except for the sync id (in the execution's name) and the execution's input ({@code
 *                  dryRun}: don't publish)
 */
record DumpDefinition(NetworkStack network, Map<DataSet, Map<String, Object>> constants, ITopic topic, HandlerFunction readSource,
        EngineTask engine, HandlerFunction manageManifests) {
    private static final Object SYNC = JsonPath.objectAt("$.sync");
    private static final String SYNC_ID = JsonPath.stringAt("$.sync.syncId");
    private static final Object HOLD = JsonPath.objectAt("$.review.hold");
    private static final String OPTION = JsonPath.stringAt("$.review.option");

    IChainable build(Construct scope) {
        var failed = failed(scope);
        var snapshot = Parallel.Builder.create(scope, "Snapshot")
                .resultSelector(Map.of("manifest", JsonPath.objectAt("$[1].manifest")))
                .resultPath("$.dump").build()
                .branch(hold(scope), dump(scope))
                .addCatch(failed, caught());
        var publish = publishManifest(scope);
        publish.addRetry(retry(List.of("States.TaskFailed")));
        publish.addCatch(failed, caught());
        var done = new Succeed(scope, "Done");
        publish.next(collect(scope, done));
        var admission = invoke(scope, manageManifests, "Admit", "Admit", Map.of("sync", SYNC), "$.admitted");
        admission.addRetry(retry(Workflow.TRANSIENT)).addCatch(failed, caught());
        admission.next(publish);
        snapshot.next(new Choice(scope, "DryRun?")
                .when(Condition.and(Condition.isPresent("$.sync.terms.dryRun"),
                        Condition.booleanEquals("$.sync.terms.dryRun", true)), done)
                .otherwise(assess(scope, admission, failed)));
        var prepared = new LinkedHashMap<DataSet, Map<String, Object>>();
        constants.forEach((dataSet, sync) -> {
            sync.put("syncId", JsonPath.stringAt("$.id"));
            sync.put("terms", JsonPath.objectAt("$.terms"));
            prepared.put(dataSet, sorted(Map.of("sync", sync, "task", Workflow.forTask(sync, dataSet), "review", review(dataSet))));
        });
        return Workflow.named(scope).next(Workflow.forDataSet(scope, prepared, snapshot));
    }

    /** What differs between data sets in the states after the dump. */
    private static Map<String, Object> review(DataSet dataSet) {
        var thresholds = new TreeMap<String, Object>();
        for (var table : dataSet.tables()) {
            var hold = dataSet.hold(table);
            var threshold = Workflow.<Object>sorted(
                    Map.of("changed", hold.changed(), "deleted", hold.deleted(), "emptied", hold.emptied(), "rows", hold.rows()));
            hold.keys().ifPresent(keys -> threshold.put("keys", keys));
            thresholds.put(table.name(), threshold);
        }
        return sorted(Map.of(
                "hold", thresholds,
                "option", dataSet.name().equals(DataSet.DEFAULT_NAME) ? "" : " --dataset " + dataSet.name(),
                "longest", dataSet.holding().longest().toSeconds(),
                "held", dataSet.holding().longest().toString(),
                "keep", sorted(Map.of("manifests", dataSet.keep().manifests(), "days", dataSet.keep().days()))));
    }

    /** Assesses the changes before the manifest is published. Above the thresholds, the sync notifies operators and waits for approval. */
    private IChainable assess(Construct scope, IChainable admission, Chain failed) {
        var assessment = invoke(scope, manageManifests, "Assess", "Assess", sorted(Map.of("sync", SYNC, "hold", HOLD)), "$.assessment");
        assessment.addRetry(retry(Workflow.TRANSIENT)).addCatch(failed, caught());
        var notify = Workflow.notifyOperations(scope, network, "NotifyHeld", sorted(Map.of(
                "syncId", JsonPath.stringAt("$.sync.syncId"), "held", JsonPath.objectAt("$.assessment.reasons"),
                "do",
                JsonPath.format("lockstep approve {}{} or lockstep reject {}{}; on AWS with --aws", SYNC_ID, OPTION, SYNC_ID, OPTION))));
        // fails rather than wait for an approval that nobody was asked for
        notify.addRetry(retry(List.of("States.TaskFailed"))).addCatch(failed, caught());
        var wait = LambdaInvoke.Builder.create(scope, "WaitForApproval")
                .lambdaFunction(manageManifests.target())
                .integrationPattern(IntegrationPattern.WAIT_FOR_TASK_TOKEN)
                .payload(TaskInput
                        .fromObject(Workflow.step("Assess", sorted(Map.of("sync", SYNC, "hold", HOLD, "token", JsonPath.getTaskToken())))))
                .retryOnServiceExceptions(false)
                .taskTimeout(Timeout.at("$.review.longest"))
                .resultPath(JsonPath.DISCARD).build();
        // rejected or timed out: nothing was changed
        wait.addRetry(retry(Workflow.NOT_READY)).addCatch(failed, caught());
        notify.next(wait).next(admission);
        return assessment
                .next(new Choice(scope, "Held?").when(Condition.booleanEquals("$.assessment.held", true), notify).otherwise(admission));
    }

    private IChainable hold(Construct scope) {
        var hold = invoke(scope, readSource, "HoldSnapshot", "HoldSnapshot", Map.of("sync", SYNC), JsonPath.DISCARD);
        // no retry after a snapshot may have been exported: the other branch may already have seen it
        hold.addRetry(retry(List.of(Workflow.DATABASE_UNAVAILABLE)));
        var failed = releaseAndFail(scope, "Hold");
        var inTask = engine.step(scope, "HoldSnapshot", Map.of("SYNC", "$.task"), null, JsonPath.DISCARD);
        inTask.addRetry(retry(List.of(Workflow.DATABASE_UNAVAILABLE)));
        inTask.addCatch(failed, caught());
        return hold.addCatch(inTask, Workflow.tooLong()).addCatch(failed, caught());
    }

    private IChainable dump(Construct scope) {
        var failed = releaseAndFail(scope, "Parts");
        var await = invoke(scope, manageManifests, "AwaitSnapshot", "AwaitSnapshot", Map.of("sync", SYNC), JsonPath.DISCARD);
        // as long as the holder is at work; it writes the reason if it fails
        await.addRetry(RetryProps.builder().errors(List.of(Workflow.SNAPSHOT_PENDING)).interval(Duration.seconds(1)).backoffRate(1)
                .maxAttempts((int) (EngineTask.LONGEST.toMinutes().longValue() / Handler.MANAGE_MANIFESTS.timeout.toMinutes().longValue()))
                .build());
        await.addRetry(retry(Workflow.TRANSIENT)).addCatch(failed, caught());
        var parts = DistributedMap.Builder.create(scope, "DumpParts")
                .mapExecutionType(StateMachineType.STANDARD)
                .itemReader(S3JsonItemReader.Builder.create()
                        .bucketNamePath(JsonPath.stringAt("$.sync.bucket"))
                        .key(JsonPath.format("syncs/{}/{}/batches.json", JsonPath.stringAt("$.sync.dataSet.name"), SYNC_ID)).build())
                .itemSelector(sorted(Map.of("sync", SYNC, "batch", JsonPath.objectAt("$$.Map.Item.Value"))))
                .maxConcurrency(network.props().account().limits().batchesAtOnce())
                .resultPath("$.outcomes").build();
        var worker = invoke(scope, readSource, "DumpParts", "DumpBatch",
                sorted(Map.of("sync", SYNC, "batch", JsonPath.objectAt("$.batch"))), "$");
        worker.addRetry(retry(Workflow.TRANSIENT));
        parts.itemProcessor(worker.addCatch(Workflow.outcomeOfFailure(scope, "BatchFailed"), caught()));
        parts.addCatch(failed, caught());
        var seal = invoke(scope, manageManifests, "SealManifest", "SealManifest",
                sorted(Map.of("sync", SYNC, "outcomes", JsonPath.objectAt("$.outcomes"))),
                "$.manifest");
        seal.addRetry(retry(Workflow.TRANSIENT)).addCatch(failed, caught());
        return Chain.start(await).next(parts).next(seal);
    }

    /** Runs last. A failure is reported and does not fail the dump, because the next dump collects what this one left. */
    private IChainable collect(Construct scope, Succeed done) {
        var collect = invoke(scope, manageManifests, "CollectParts", "CollectParts",
                sorted(Map.of("sync", SYNC, "keep", JsonPath.objectAt("$.review.keep"), "held", JsonPath.stringAt("$.review.held"))),
                JsonPath.DISCARD);
        collect.addRetry(retry(Workflow.TRANSIENT));
        collect.addCatch(Workflow.notifyFailure(scope, network, "NotifyNotCollected", done), caught());
        return collect.next(done);
    }

    private Chain releaseAndFail(Construct scope, String what) {
        var fail = Fail.Builder.create(scope, what + "Failed").errorPath("$.failure.Error").causePath("$.failure.Cause").build();
        var release = invoke(scope, manageManifests, "ReleaseSnapshot", "ReleaseAfter" + what + "Failure",
                sorted(Map.of("sync", SYNC, "reason", JsonPath.stringAt("$.failure.Cause"))), JsonPath.DISCARD);
        release.addRetry(retry(Workflow.TRANSIENT));
        // reports the original failure, not this one
        release.addCatch(fail, CatchProps.builder().resultPath("$.release").build());
        return Chain.start(release).next(fail);
    }

    private SnsPublish publishManifest(Construct scope) {
        var message = new TreeMap<String, Object>(Map.of(
                "dataSet", JsonPath.stringAt("$.sync.dataSet.name"),
                "syncId", JsonPath.stringAt("$.sync.syncId"),
                "bucket", JsonPath.stringAt("$.sync.bucket"),
                "manifestKey", JsonPath.stringAt("$.admitted.manifestKey"),
                "snapshotTime", JsonPath.stringAt("$.admitted.snapshotTime")));
        return SnsPublish.Builder.create(scope, "PublishManifest")
                .topic(topic).message(TaskInput.fromObject(message)).resultPath(JsonPath.DISCARD).build();
    }

    private Chain failed(Construct scope) {
        var fail = Fail.Builder.create(scope, "DumpFailed").errorPath("$.failure.Error").causePath("$.failure.Cause").build();
        return Workflow.notifyFailure(scope, network, "NotifyFailure", fail);
    }
}
