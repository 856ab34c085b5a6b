package lockstep.infra;

import static lockstep.infra.Workflow.invoke;
import static lockstep.infra.Workflow.retry;

import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import software.amazon.awscdk.services.stepfunctions.IChainable;
import software.amazon.awscdk.services.stepfunctions.JsonPath;
import software.constructs.Construct;

/**
 * The single state of an import. It is a state machine so that the caller supplies only the table: the location of the file, the allowed
 * columns and the login come from this definition.
 *
 * @param constants the handler's input, except for the import's id (the execution's name) and the execution's input ({@code table},
 *                  {@code dryRun})
 */
record ImportDefinition(Map<String, Object> constants, HandlerFunction importTable) {
    IChainable build(Construct scope) {
        var event = new TreeMap<>(constants);
        event.put("importId", JsonPath.stringAt("$$.Execution.Name"));
        event.put("request", JsonPath.objectAt("$"));
        var run = invoke(scope, importTable, "ImportTable", event, "$");
        // safe to retry: an import is one transaction, and repeating it with the same file changes nothing
        run.addRetry(retry(Stream.concat(Workflow.TRANSIENT.stream(), Stream.of(Workflow.BUSY)).toList()));
        return run;
    }
}
