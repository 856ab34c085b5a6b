package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.Optional;
import java.util.Random;
import lockstep.masterdata.aws.S3PartStore;
import lockstep.masterdata.engine.TestingAws.Answer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Tests the S3 store with the real client against a faulty server. It is in this package because {@link TestingAws} is. */
class PartStoreTest {
    private final TestingAws aws = new TestingAws();
    private final S3PartStore store = TestingAws.store(aws.endpoint());
    private final byte[] bytes = new byte[100_000];

    PartStoreTest() {
        new Random(1).nextBytes(bytes);
        store.put("parts/a", bytes);
    }

    @AfterEach
    void down() {
        store.s3().close();
        aws.close();
    }

    private byte[] read() throws IOException {
        try (var in = store.open("parts/a").orElseThrow()) {
            return in.readAllBytes();
        }
    }

    @Test
    void whatWasPutIsThere() throws Exception {
        assertArrayEquals(bytes, read());
        assertEquals(Optional.empty(), store.open("parts/b"));
    }

    @Test
    void anAnswerThatIsCutShortIsAFailureToRead() {
        aws.watch = request -> Answer.TRUNCATED;
        assertThrows(IOException.class, this::read);
    }

    @Test
    void whatPassesIsTriedAgainAndThenTold() throws Exception {
        for (Answer answer : new Answer[]{Answer.ERROR, Answer.THROTTLED, Answer.CUT}) {
            var asked = new int[1];
            aws.watch = request -> asked[0]++ == 0 ? answer : Answer.WELL;
            assertArrayEquals(bytes, read(), answer.name());
            aws.watch = request -> answer;
            assertThrows(Fault.StoreUnavailable.class, this::read, answer.name());
            assertThrows(Fault.StoreUnavailable.class, () -> store.put("parts/c", bytes), answer.name());
        }
        aws.watch = request -> Answer.REFUSED;
        assertThrows(Fault.AccessRefused.class, this::read);
    }
}
