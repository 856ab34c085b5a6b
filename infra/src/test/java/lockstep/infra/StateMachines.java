package lockstep.infra;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.TreeMap;

/** The state machines of the clinic's templates, in the form that other tools read. */
final class StateMachines {
    private StateMachines() {}

    /** All definitions by stack and logical id. */
    static Map<String, ObjectNode> definitions() {
        var definitions = new TreeMap<String, ObjectNode>();
        for (var machine : Assembly.clinic().resources("AWS::StepFunctions::StateMachine"))
            definitions.put(machine.stack() + "-" + machine.id(), definition(machine));
        return definitions;
    }

    static ObjectNode definition(String stack, String id) {
        return definition(Assembly.clinic().resource(stack, "AWS::StepFunctions::StateMachine", id));
    }

    /** Puts an ARN in place of each reference to a function. */
    private static ObjectNode definition(Assembly.Resource machine) {
        var definition = WorkflowTest.definition(machine);
        for (var state : definition.findParents("Resource"))
            ((ObjectNode) state).put("Resource", state.get("Resource").asText().replace("<AWS::Partition>", "aws").replaceFirst("^<(.*)>$",
                    "arn:aws:lambda:eu-central-1:111111111111:function:$1"));
        return (ObjectNode) definition;
    }
}
