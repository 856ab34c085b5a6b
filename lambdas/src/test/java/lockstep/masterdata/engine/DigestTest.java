package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import lockstep.masterdata.engine.copy.CopyText;
import lockstep.masterdata.engine.copy.RowDigest;
import org.junit.jupiter.api.Test;

class DigestTest {
    private static RowDigest of(String line) {
        byte[] bytes = line.getBytes(StandardCharsets.UTF_8);
        return RowDigest.ofLine(bytes, 0, bytes.length);
    }

    private static RowDigest sum(String... lines) {
        return Stream.of(lines).map(DigestTest::of).reduce(RowDigest.EMPTY, RowDigest::plus);
    }

    @Test
    void isXxh3OfTheLine() {
        // XXH3_128bits("abc", seed 0), from the reference implementation
        assertEquals("06b05ab6733a618578af5f94892f3950", of("abc").toString());
    }

    @Test
    void dependsOnWhichRowsAndHowManyButNotOnTheirOrder() {
        assertEquals(sum("a", "b", "c"), sum("c", "a", "b"));
        assertNotEquals(sum("a", "b"), sum("a", "b", "b"));
        assertNotEquals(sum("a", "a"), sum("b", "b"));
        assertNotEquals(sum("ab", "c"), sum("a", "bc"));
    }

    @Test
    void carriesIntoTheUpperHalf() {
        assertEquals(new RowDigest(3, 0), new RowDigest(1, -1).plus(new RowDigest(1, 1)));
        assertEquals(new RowDigest(0, 0), new RowDigest(-1, -1).plus(new RowDigest(0, 1)));
    }

    @Test
    void readsWhatItWrites() {
        assertEquals(of("abc"), RowDigest.parse(of("abc").toString()));
        assertThrows(IllegalArgumentException.class, () -> RowDigest.parse("12"));
    }

    @Test
    void findsTheFieldsOfACopyLine() {
        byte[] line = "a\\tb\t\\\\N\t漢\\n\t\n".getBytes(StandardCharsets.UTF_8);
        assertEquals(List.of("a\tb", "\\N", "漢\n", ""), CopyText.fields(line, new int[]{0, 1, 2, 3}));
        assertEquals(List.of("漢\n", "a\tb"), CopyText.fields(line, new int[]{2, 0}));
    }
}
