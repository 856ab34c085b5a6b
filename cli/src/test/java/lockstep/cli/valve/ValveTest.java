package lockstep.cli.valve;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ValveTest {
    @Test
    void theProjectKeepsItsClaim() {
        long begun = System.nanoTime();
        var proof = SnapshotTemplates.proof();
        System.out.println(ProofText.of(proof));
        System.out.println((System.nanoTime() - begun) / 1_000_000 + " ms");
        begun = System.nanoTime();
        SnapshotTemplates.proof();
        System.out.println((System.nanoTime() - begun) / 1_000_000 + " ms");
        assertTrue(proof.holds(), ProofText.of(proof));
    }
}
