package lockstep.infra;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import lockstep.landscape.DataSet;
import lockstep.landscape.Names;
import lockstep.landscape.Table;
import lockstep.landscape.Triggers;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.services.cloudwatch.MetricOptions;
import software.amazon.awscdk.services.iam.IRole;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.amazon.awscdk.services.stepfunctions.CatchProps;
import software.amazon.awscdk.services.stepfunctions.Chain;
import software.amazon.awscdk.services.stepfunctions.Choice;
import software.amazon.awscdk.services.stepfunctions.Condition;
import software.amazon.awscdk.services.stepfunctions.DefinitionBody;
import software.amazon.awscdk.services.stepfunctions.Fail;
import software.amazon.awscdk.services.stepfunctions.IChainable;
import software.amazon.awscdk.services.stepfunctions.JitterType;
import software.amazon.awscdk.services.stepfunctions.JsonPath;
import software.amazon.awscdk.services.stepfunctions.LogLevel;
import software.amazon.awscdk.services.stepfunctions.LogOptions;
import software.amazon.awscdk.services.stepfunctions.Pass;
import software.amazon.awscdk.services.stepfunctions.QueryLanguage;
import software.amazon.awscdk.services.stepfunctions.RetryProps;
import software.amazon.awscdk.services.stepfunctions.StateMachine;
import software.amazon.awscdk.services.stepfunctions.StateMachineProps;
import software.amazon.awscdk.services.stepfunctions.TaskInput;
import software.amazon.awscdk.services.stepfunctions.Timeout;
import software.amazon.awscdk.services.stepfunctions.tasks.LambdaInvoke;
import software.amazon.awscdk.services.stepfunctions.tasks.SnsPublish;
import software.constructs.Construct;

/**
 * A state machine that logs to an encrypted group, is traced, and alarms operators when an execution fails. Also the states that several
 * machines share. A failure is kept at {@code $.failure} as {Error, Cause}.
 */
final class Workflow extends StateMachine {
    private static final String FAULT = "lockstep.masterdata.engine.Fault$";
    static final String DATABASE_UNAVAILABLE = FAULT + "DatabaseUnavailable";
    static final String BATCH_FAILED = FAULT + "BatchFailed";
    static final String BUSY = FAULT + "Busy";
    static final String DRIFTED = FAULT + "Drifted";
    static final String TOO_LONG = FAULT + "TooLong";
    static final String SNAPSHOT_PENDING = FAULT + "SnapshotPending";

    /** Errors worth a retry: the environment failed, not the data. They are listed one by one, because no other fault of lockstep is. */
    static final List<String> TRANSIENT = List.of(
            DATABASE_UNAVAILABLE, FAULT + "StoreUnavailable",
            "Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException",
            "Lambda.ClientExecutionTimeoutException", "Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout", "States.Timeout",
            "java.lang.OutOfMemoryError");

    /**
     * The function has not run. Lambda reclaims the network interfaces and snapshots of functions idle for weeks, and recreates them in a
     * minute or two.
     */
    static final List<String> NOT_READY = List.of("Lambda.ResourceNotReadyException", "Lambda.ResourceConflictException",
            "Lambda.SnapStartNotReadyException");

    /** The account runs as many functions as it may. The function has not run, and runs when others have ended. */
    static final List<String> THROTTLED = List.of("Lambda.TooManyRequestsException");

    /** ECS did not start the task, or the task no longer answers. */
    static final List<String> NO_TASK = List.of("ECS.AmazonECSException", "AmazonECS.Unknown", "States.HeartbeatTimeout");

    private final String name;

    Workflow(Construct scope, String id, String name, Duration timeout, NetworkStack network, IChainable definition) {
        // outside this prefix, log groups count against the size limit of a resource policy
        var logs = network.logGroup(scope, id + "Logs", "/aws/vendedlogs/states/" + name);
        super(scope, id, StateMachineProps.builder()
                .stateMachineName(name)
                .definitionBody(DefinitionBody.fromChainable(definition))
                .queryLanguage(QueryLanguage.JSON_PATH)
                .timeout(timeout)
                .tracingEnabled(true)
                // inputs and outputs of states are kept only in the execution's history
                .logs(LogOptions.builder().destination(logs).level(LogLevel.ALL).includeExecutionData(false).build())
                .build());
        this.name = name;
        network.operations().grantPublish(this);
        network.operations().alarmWhen(scope, id + "FailedAlarm", name + ": an execution failed", metricFailed(minute()), 0);
        network.operations().alarmWhen(scope, id + "TimedOutAlarm", name + ": an execution timed out", metricTimedOut(minute()), 0);
        Accepted.finding(this, "AwsSolutions-IAM5", "Log delivery and X-Ray calls name no resource", "Resource::*");
        Accepted.finding(this, "AwsSolutions-IAM5", "Any version of a function that the machine invokes",
                "/^Resource::<[A-Za-z0-9]+\\.Arn>:\\*$/");
        Accepted.finding(this, "AwsSolutions-IAM5",
                "GenerateDataKey, with and without plaintext, on the keys of the topics it publishes to", "Action::kms:GenerateDataKey*");
        Accepted.finding(this, "AwsSolutions-IAM5",
                "A distributed Map follows and stops executions of this machine, whose ids are not known in advance",
                "/^Resource::arn:aws[a-z-]*:states:.*:execution:.*\\*$/");
    }

    /** Allows the role to list this machine's executions and to follow them and their Map runs. */
    void grantFollow(IRole role) {
        var account = getStack().getAccount();
        var region = getStack().getRegion();
        role.addToPrincipalPolicy(PolicyStatement.Builder.create()
                .actions(List.of("states:ListExecutions", "states:DescribeExecution", "states:GetExecutionHistory", "states:ListMapRuns",
                        "states:DescribeMapRun"))
                .resources(List.of(
                        Names.statesArn(region, account, "stateMachine", name),
                        Names.statesArn(region, account, "execution", name + ":*"),
                        Names.statesArn(region, account, "execution", name + "/*"),
                        Names.statesArn(region, account, "mapRun", name + "/*")))
                .build());
    }

    /** The first state of an execution that is named as {@link Names#execution}: its result is {dataSet, id, terms}. */
    static Chain named(Construct scope) {
        var name = JsonPath.stringSplit(JsonPath.stringAt("$$.Execution.Name"), ".");
        return Chain.start(Pass.Builder.create(scope, "Named").parameters(sorted(Map.of(
                "dataSet", JsonPath.arrayGetItem(name, 0), "id", JsonPath.arrayGetItem(name, 1), "terms", JsonPath.objectAt("$"))))
                .build());
    }

    /**
     * Continues with the constants of the data set that {@code $.dataSet} names. They are part of this account's deployment, whatever the
     * execution's input says.
     */
    static IChainable forDataSet(Construct scope, Map<DataSet, Map<String, Object>> constants, IChainable next) {
        var choice = new Choice(scope, "DataSet?");
        constants.forEach((dataSet, parameters) -> choice.when(Condition.stringEquals("$.dataSet", dataSet.name()),
                Pass.Builder.create(scope, "Prepare-" + dataSet.name()).parameters(parameters).build().next(next)));
        return choice.otherwise(Fail.Builder.create(scope, "UnknownDataSet").error("UnknownDataSet")
                .cause("this account was deployed from a lockstep.yaml without this data set").build());
    }

    /** The event of a function with several steps. */
    static Map<String, Object> step(String step, Object event) {
        return sorted(Map.of("step", step, "event", event));
    }

    /**
     * Invokes a step of a function, retrying while it is not ready, and puts its result at the path. Other retries and catches are the
     * caller's.
     */
    static LambdaInvoke invoke(Construct scope, HandlerFunction function, String step, String id, Object event, String resultPath) {
        return invoke(scope, function, step, id, event, null, resultPath);
    }

    /** @param result the selector that replaces the result; null to keep the whole result */
    static LambdaInvoke invoke(Construct scope, HandlerFunction function, String step, String id, Object event,
            Map<String, Object> result, String resultPath) {
        return task(scope, function, id, TaskInput.fromObject(step(step, event)), result, resultPath);
    }

    /** Invokes a function that has no steps with the state's input, and replaces that with its result. */
    static LambdaInvoke invoke(Construct scope, HandlerFunction function, String id) {
        return task(scope, function, id, null, null, "$");
    }

    private static LambdaInvoke task(Construct scope, HandlerFunction function, String id, TaskInput payload, Map<String, Object> result,
            String resultPath) {
        var invoke = LambdaInvoke.Builder.create(scope, id)
                .lambdaFunction(function.target())
                .payload(payload)
                .payloadResponseOnly(true)
                .retryOnServiceExceptions(false)
                .taskTimeout(Timeout.duration(function.getTimeout().plus(Duration.minutes(1))))
                .resultSelector(result)
                .resultPath(resultPath)
                .build();
        invoke.addRetry(RetryProps.builder().errors(NOT_READY).interval(Duration.seconds(15)).backoffRate(1.5).maxAttempts(8)
                .maxDelay(Duration.minutes(1)).build());
        invoke.addRetry(RetryProps.builder().errors(THROTTLED).interval(Duration.seconds(2)).backoffRate(1.5).maxAttempts(60)
                .maxDelay(Duration.seconds(20)).jitterStrategy(JitterType.FULL).build());
        return invoke;
    }

    static RetryProps retry(List<String> errors) {
        return RetryProps.builder()
                .errors(errors).interval(Duration.seconds(2)).backoffRate(2).maxAttempts(4).maxDelay(Duration.minutes(1))
                .jitterStrategy(JitterType.FULL).build();
    }

    /** The step is too long for a function. */
    static CatchProps tooLong() {
        return CatchProps.builder().errors(List.of(TOO_LONG)).resultPath("$.tooLong").build();
    }

    static CatchProps caught() {
        return CatchProps.builder().resultPath("$.failure").build();
    }

    /** The outcome of a worker that failed. The Map goes on; the next state reports the failure. */
    static Pass outcomeOfFailure(Construct scope, String id) {
        return Pass.Builder.create(scope, id)
                .parameters(sorted(Map.of("error", JsonPath.stringAt("$.failure.Error"), "cause", JsonPath.stringAt("$.failure.Cause"))))
                .build();
    }

    static SnsPublish notifyOperations(Construct scope, NetworkStack network, String id, Map<String, Object> message) {
        return SnsPublish.Builder.create(scope, id)
                .topic(network.operations()).message(TaskInput.fromObject(message)).resultPath(JsonPath.DISCARD).build();
    }

    /**
     * Reports {@code $.failure} to operations, but only the message of its cause if one of our functions threw it: Step Functions then has
     * an error with the name of a Java class, and a cause that is JSON with a stack trace.
     */
    static Chain notifyFailure(Construct scope, NetworkStack network, String id, IChainable next) {
        var notify = notifyOperations(scope, network, id,
                sorted(Map.of("syncId", JsonPath.stringAt("$.sync.syncId"), "cause", JsonPath.stringAt("$.reported.thrown.errorMessage"))));
        notify.addCatch(next, CatchProps.builder().resultPath("$.notify").build());
        notify.next(next);
        var thrown = Pass.Builder.create(scope, id + "OfFunction").resultPath("$.reported")
                .parameters(Map.of("thrown", JsonPath.stringToJson(JsonPath.stringAt("$.failure.Cause")))).build();
        var other = Pass.Builder.create(scope, id + "OfService").resultPath("$.reported")
                .parameters(Map.of("thrown", Map.of("errorMessage",
                        JsonPath.format("{}: {}", JsonPath.stringAt("$.failure.Error"), JsonPath.stringAt("$.failure.Cause")))))
                .build();
        return Chain.start(new Choice(scope, id + "?").when(Condition.stringMatches("$.failure.Error", "lockstep.*"), thrown.next(notify))
                .otherwise(other.next(notify)));
    }

    /** The data set in the form that handlers read. */
    static Map<String, Object> constant(DataSet dataSet) {
        var constant = Workflow.<Object>sorted(Map.of("name", dataSet.name(), "source", dataSet.source(), "tables",
                dataSet.tables().stream().map(Workflow::constant).toList()));
        if (dataSet.triggers() != Triggers.RUN) constant.put("triggers", dataSet.triggers().name());
        return constant;
    }

    private static Map<String, Object> constant(Table table) {
        var constant = Workflow.<Object>sorted(Map.of("name", table.name(), "columns", table.columns(), "key", table.key()));
        table.where().ifPresent(where -> constant.put("where", where));
        return constant;
    }

    /**
     * The sync of an engine's task: what handlers read, but only the name of the data set, and without the time of a function.
     */
    static Map<String, Object> forTask(Map<String, Object> sync, DataSet dataSet) {
        var task = new TreeMap<>(sync);
        task.put("dataSet", Map.of("name", dataSet.name()));
        task.remove("functionMinutes");
        return task;
    }

    /** Sorts a map by key, because the order of {@link Map#of} differs between JVMs, and templates would too. */
    static <V> Map<String, V> sorted(Map<String, ? extends V> map) {
        return new TreeMap<>(map);
    }

    private static MetricOptions minute() {
        return MetricOptions.builder().period(Duration.minutes(1)).build();
    }
}
