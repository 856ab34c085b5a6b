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
 * The one state of an import. It is a machine so that who imports says no more than the table: where the file lies, which columns there
 * are and by which login they are written is said here.
 *
 * @param constants all that the handler needs but the import's id, which is the execution's name, and the input: {@code table}, {@code dryRun}
 */
record ImportDefinition(Map<String, Object> constants, HandlerFunction importTable) {
    IChainable build(Construct scope) {
        var event = new TreeMap<>(constants);
        event.put("importId", JsonPath.stringAt("$$.Execution.Name"));
        event.put("request", JsonPath.objectAt("$"));
        var run = invoke(scope, importTable, "ImportTable", event, "$");
        // an import is one transaction, and a second one of the same file finds nothing to do
        run.addRetry(retry(Stream.concat(Workflow.TRANSIENT.stream(), Stream.of(Workflow.BUSY)).toList()));
        return run;
    }
}
