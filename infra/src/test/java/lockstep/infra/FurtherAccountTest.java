package lockstep.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.StreamSupport;
import lockstep.landscape.Account;
import lockstep.landscape.Edition;
import lockstep.landscape.Landscape;
import lockstep.landscape.Purpose;
import lockstep.landscape.Shard;
import org.junit.jupiter.api.Test;

/** Another production account needs only an entry in the landscape: it is notified of manifests, may read them, and restores its shards. */
class FurtherAccountTest {
    private static final Assembly WITH = Assembly.synthesize("further", further());

    private static Landscape further() {
        var clinic = TestLandscapes.clinic();
        var accounts = new ArrayList<>(clinic.accounts());
        accounts.add(new Account("production-2", "444444444444", Purpose.PRODUCTION, List.of(new Shard("clinic-3", Edition.PRODUCTION)),
                List.of()));
        return new Landscape(clinic.product(), clinic.release(), clinic.region(), accounts, clinic.dataSets(), clinic.differences(),
                clinic.delivery(), List.of());
    }

    @Test
    void itHearsOfManifestsOfTheSource() {
        var subscription = WITH.resources("production-2-master-data-target", "AWS::SNS::Subscription").getFirst();
        assertEquals("arn:aws:sns:eu-central-1:111111111111:lockstep-master-data", subscription.property("TopicArn").asText());
        assertTrue(WITH.resources("production-master-data-source", "AWS::SNS::TopicPolicy").getFirst().property("PolicyDocument").toString()
                .contains(":iam::444444444444:root"), "who may subscribe");
    }

    @Test
    void itMayReadThem() {
        var trust = WITH.resource("production-master-data-source", "AWS::IAM::Role", "Reader").property("AssumeRolePolicyDocument")
                .toString();
        assertTrue(trust.contains("arn:aws:iam::444444444444:role/lockstep-worker"), trust);
    }

    @Test
    void itRestoresItsShardsAndIsNoSource() {
        var shards = WorkflowTest
                .definition(WITH.resource("production-2-master-data-target", "AWS::StepFunctions::StateMachine", "Restore"))
                .at("/States/Shards/Parameters/shards");
        assertEquals(List.of("clinic-3"),
                StreamSupport.stream(shards.spliterator(), false).map(shard -> shard.get("name").asText()).toList());
        assertTrue(WITH.templates().containsKey("production-2-shard-clinic-3"));
        assertTrue(WITH.templates().keySet().stream().noneMatch(stack -> stack.equals("production-2-master-data-source")));
    }

    /** Adding an account requires deploying only the source's stack and the account's own. */
    @Test
    void nothingOfOtherTargetsChanges() {
        for (var stack : List.of("demo-master-data-target", "qa-master-data-target", "production-master-data-target",
                "production-shard-clinic-1"))
            assertEquals(Assembly.clinic().templates().get(stack), WITH.templates().get(stack), stack);
    }
}
