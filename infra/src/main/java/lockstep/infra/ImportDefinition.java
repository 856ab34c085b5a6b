package lockstep.infra;

import static lockstep.infra.Workflow.invoke;
import static lockstep.infra.Workflow.retry;

import java.util.Map;
import java.util.stream.Stream;
import lockstep.landscape.DataSet;
import software.amazon.awscdk.services.stepfunctions.IChainable;
import software.amazon.awscdk.services.stepfunctions.JsonPath;
import software.constructs.Construct;

/**
 * An import. It is a state machine so that the caller supplies only the table: the location of the file, the allowed columns and the login
 * come from this definition.
 *
 * @param constants the handler's input by data set, except for the import's id and the execution's input ({@code table}, {@code dryRun})
 */
record ImportDefinition(Map<DataSet, Map<String, Object>> constants, HandlerFunction importTable) {
    IChainable build(Construct scope) {
        constants.values().forEach(event -> {
            event.put("importId", JsonPath.stringAt("$.id"));
            event.put("request", JsonPath.objectAt("$.terms"));
        });
        var run = invoke(scope, importTable, "ImportTable");
        // safe to retry: an import is one transaction, and repeating it with the same file changes nothing
        run.addRetry(retry(Stream.concat(Workflow.TRANSIENT.stream(), Stream.of(Workflow.BUSY)).toList()));
        return Workflow.named(scope).next(Workflow.forDataSet(scope, constants, run));
    }
}
