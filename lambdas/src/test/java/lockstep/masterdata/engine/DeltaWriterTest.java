package lockstep.masterdata.engine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;
import lockstep.masterdata.engine.dump.Dumped.RangeParts;
import lockstep.masterdata.engine.dump.PartWriter;
import lockstep.masterdata.engine.parts.Delta;
import lockstep.masterdata.engine.parts.KeyRange;
import lockstep.masterdata.engine.parts.Packed;
import lockstep.masterdata.engine.parts.Part;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that a delta is the difference of two sets of lines, for random differences. */
class DeltaWriterTest {
    private static final long PART_BYTES = 64 << 20;
    private final TestingStore store = new TestingStore();

    private RangeParts write(List<Part> base, List<String> lines, long partBytes) {
        try (var writer = new PartWriter(store, "parts/m/", new int[]{0}, new KeyRange("m.t", List.of(), List.of(), base), partBytes)) {
            for (String line : lines) writer.line((line + "\n").getBytes(UTF_8));
            return writer.finish();
        }
    }

    private List<String> text(String object) {
        try (var text = Packed.text(new ByteArrayInputStream(store.objects.get(object)))) {
            return new String(text.readAllBytes(), UTF_8).lines().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> without(List<String> lines, List<String> others) {
        var left = new ArrayList<>(lines);
        left.removeAll(new TreeSet<>(others));
        return left;
    }

    private void assertIsDifference(List<String> before, List<String> after, Delta delta) {
        var came = without(after, before);
        var went = without(before, after);
        assertEquals(List.of((long) came.size(), (long) went.size()), List.of(delta.came().rows(), delta.went().rows()));
        var text = text(delta.object());
        assertEquals(came, text.subList(0, came.size()));
        assertEquals(went, text.subList(came.size(), text.size()));
    }

    private static String row(Random random, int key) {
        return "%08d\t%x".formatted(key, random.nextLong())
                + "長い".repeat(random.nextInt(400) == 0 ? random.nextInt(60_000) : random.nextInt(10));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void holdsWhatCameAndWhatWent(long seed) {
        var random = new Random(seed);
        var before = new ArrayList<String>();
        var after = new ArrayList<String>();
        // changes are rare or frequent, single or in runs
        double changes = Math.pow(random.nextDouble(), 4) / 4;
        int longest = 1 + random.nextInt(200);
        for (int key = 0; key < 4000;) {
            int run = random.nextDouble() < changes ? 1 + random.nextInt(longest) : 0;
            int kind = random.nextInt(3);
            for (int end = key + run; key < end; key++) {
                if (kind != 0) before.add(row(random, key));
                if (kind != 1) after.add(row(random, key));
            }
            String same = row(random, key++);
            before.add(same);
            after.add(same);
        }
        after.add(row(random, 5000));
        var base = write(List.of(), before, PART_BYTES / (1 + random.nextInt(4) * 500)).parts();
        var delta = write(base, after, PART_BYTES).delta();
        assertTrue(delta.isPresent() || without(after, before).size() > after.size() / 4, "a delta that is worth it");
        delta.ifPresent(d -> assertIsDifference(before, after, d));
        if (delta.isPresent()) assertEquals(delta, write(base, after, PART_BYTES).delta(), "doing it again gives the same");
    }

    @Test
    void nothingInCommonAndNothingLeft() {
        var random = new Random(0);
        var before = new ArrayList<String>();
        var after = new ArrayList<String>();
        for (int key = 0; key < 20_000; key++) {
            before.add(row(random, key));
            after.add(row(random, key));
        }
        var base = write(List.of(), before, PART_BYTES).parts();
        assertEquals(Optional.empty(), write(base, after, PART_BYTES).delta());
        var nothing = write(base, List.of(), PART_BYTES);
        assertEquals(List.of(0L, Optional.empty()), List.of(nothing.parts().getFirst().rows(), nothing.delta()),
                "a part of no rows is smaller than any delta");
    }

    @Test
    void noDeltaFromWhatCanNotBeUnpacked() {
        var base = write(List.of(), List.of("1\ta", "2\tb", "3\tc"), PART_BYTES).parts();
        byte[] object = store.objects.get(base.getFirst().object());
        for (int at = 0; at < object.length; at++) {
            byte[] damaged = object.clone();
            damaged[at] ^= 0x10;
            store.objects.put(base.getFirst().object(), damaged);
            var written = write(base, List.of("1\ta", "2\tB", "3\tc"), PART_BYTES);
            written.delta().ifPresent(d -> assertEquals(List.of("2\tB", "2\tb"), text(d.object()), "only where the damage does not show"));
            assertEquals(3, written.parts().getFirst().rows());
        }
    }
}
