package lockstep.valve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The project's templates satisfy the claim. A single change breaks it, and an attack that uses this change is found. */
class CorpusTest {
    /** One proof for all of connections.yaml. */
    private static final Proof CONNECTED = SnapshotTemplates
            .proof(templates -> connections().forEach(mutation -> mutation.apply(templates)));

    @Test
    void theProjectKeepsItsClaim() {
        var proof = SnapshotTemplates.proof();
        assertTrue(proof.holds(), ProofText.of(proof));
    }

    @ParameterizedTest
    @MethodSource("broken")
    void theAttackIsFound(Mutation mutation) {
        var proof = SnapshotTemplates.proof(mutation::apply);
        assertFalse(proof.holds(), "no attack was found");
        assertTrue(
                proof.attacks().stream().filter(attack -> attack.claim().name().equalsIgnoreCase(mutation.claim()))
                        .flatMap(attack -> attack.steps().stream()).anyMatch(step -> isExpected(step, mutation.find())),
                () -> "expected " + mutation.find() + " against " + mutation.claim() + "; found\n" + ProofText.of(proof));
    }

    @ParameterizedTest
    @MethodSource("harmless")
    void whatBreaksNothingIsNotTold(Mutation mutation) {
        var proof = SnapshotTemplates.proof(mutation::apply);
        assertTrue(proof.holds(), () -> ProofText.of(proof));
    }

    @ParameterizedTest
    @MethodSource("connections")
    void theConnectionIsFound(Mutation mutation) {
        assertTrue(CONNECTED.attacks().stream().filter(attack -> attack.claim().name().equalsIgnoreCase(mutation.claim()))
                .flatMap(attack -> attack.steps().stream()).anyMatch(step -> isExpected(step, mutation.find())),
                () -> "expected " + mutation.find() + " against " + mutation.claim());
    }

    @Test
    void connectionsThatBreakNothingAreNotReported() {
        var proof = SnapshotTemplates
                .proof(templates -> Mutation.read("harmless-connections.yaml").forEach(mutation -> mutation.apply(templates)));
        assertTrue(proof.holds(), () -> ProofText.of(proof));
    }

    @Test
    void aTypeOfTheTableIsEitherHarmlessOrNot() {
        var harmless = TypeTable.TABLE.harmless().stream().flatMap(entry -> entry.types().stream()).toList();
        var others = new HashSet<>(TypeTable.TABLE.networks().keySet());
        others.addAll(TypeTable.TABLE.data().keySet());
        TypeTable.TABLE.exposed().forEach(entry -> others.addAll(entry.types()));
        assertEquals(List.of(), harmless.stream().filter(others::contains).toList());
        assertEquals(harmless.size(), new HashSet<>(harmless).size(), "each once");
    }

    @Test
    void theCorpusIsAsLargeAsItIsSaidToBe() {
        assertTrue(broken().size() >= 40, "broken: " + broken().size());
        assertTrue(harmless().size() >= 10, "harmless: " + harmless().size());
        var names = Stream.concat(broken().stream(), connections().stream()).map(Mutation::name).toList();
        assertEquals(names.size(), new HashSet<>(names).size(), "each has a name of its own");
        Stream.concat(broken().stream(), connections().stream())
                .forEach(mutation -> assertEquals(4, mutation.find().size(), mutation.name()));
    }

    static boolean isExpected(Attack.Step step, List<String> words) {
        return step.principal().contains(words.get(0)) && step.action().contains(words.get(1)) && step.resource().contains(words.get(2))
                && step.by().stream().anyMatch(by -> by.contains(words.get(3)));
    }

    private static List<Mutation> broken() {
        return Mutation.read("broken.yaml");
    }

    private static List<Mutation> connections() {
        return Mutation.read("connections.yaml");
    }

    private static List<Mutation> harmless() {
        return Mutation.read("harmless.yaml");
    }
}
