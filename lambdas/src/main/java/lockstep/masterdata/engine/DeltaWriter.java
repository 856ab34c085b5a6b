package lockstep.masterdata.engine;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Finds the rows by which a range differs from what it was: those that came and those that went. Both sides are in key order, so
 * it goes along both at once; in memory are only lines that the other side did not have so far. When these are too many for a
 * delta to be worth anything, it gives up, as it does when there is no past, or one that can't be read.
 */
final class DeltaWriter implements AutoCloseable {
    /** Lines of small ranges may all differ. */
    private static final long FEW_BYTES = 1 << 20;

    private record Line(byte[] bytes) {
        @Override
        public boolean equals(Object other) {
            return other instanceof Line line && Arrays.equals(bytes, line.bytes);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(bytes);
        }
    }

    private final KeyRange range;
    private final Set<Line> came = new LinkedHashSet<>();
    private final Set<Line> went = new LinkedHashSet<>();
    private Optional<Lines> base;
    private long room;

    DeltaWriter(PartStore store, KeyRange range) {
        this.range = range;
        this.base = base(store, range);
        this.room = Math.max(FEW_BYTES, range.base().stream().mapToLong(Part::textBytes).sum() / 2);
    }

    private static Optional<Lines> base(PartStore store, KeyRange range) {
        if (range.base().isEmpty()) return Optional.empty();
        var objects = new ArrayList<InputStream>();
        for (Part part : range.base()) {
            var object = store.open(part.object());
            if (object.isEmpty()) return Optional.empty();
            try (InputStream in = object.get()) {
                // at once: a store does not wait for the rows of a slow source
                objects.add(Packed.text(new ByteArrayInputStream(in.readAllBytes())));
            } catch (IOException | UncheckedIOException e) {
                return Optional.empty();
            }
        }
        return Optional.of(new Lines(new SequenceInputStream(Collections.enumeration(objects))));
    }

    /** Takes the next line of the range as it is now, its newline included. */
    void line(byte[] line) {
        if (base.isEmpty()) return;
        Lines before = base.get();
        try {
            while (!before.skip(line)) {
                // it was further up: what came in between is past
                if (!went.isEmpty() && took(went, line)) return;
                var other = before.next();
                if (other.isPresent() && !came.isEmpty() && took(came, other.get())) continue;
                other.ifPresent(o -> put(went, o));
                put(came, line);
                return;
            }
        } catch (IOException e) {
            giveUp();
        }
    }

    private boolean took(Set<Line> lines, byte[] line) {
        boolean taken = lines.remove(new Line(line));
        if (taken) room += line.length;
        return taken;
    }

    private void put(Set<Line> lines, byte[] line) {
        lines.add(new Line(line));
        room -= line.length;
        if (room < 0) giveUp();
    }

    private void giveUp() {
        close();
        base = Optional.empty();
        came.clear();
        went.clear();
    }

    /**
     * Puts the delta into the store when all lines were given.
     *
     * @param after what the range holds now
     * @param worth a delta of as many bytes is worth nothing
     */
    Optional<Delta> finish(PartStore store, Content after, long worth) {
        try {
            Optional<byte[]> left;
            while (base.isPresent() && (left = base.get().next()).isPresent()) if (!took(came, left.get())) put(went, left.get());
        } catch (IOException e) {
            giveUp();
        }
        if (base.isEmpty()) return Optional.empty();
        Packed lines = new Packed();
        for (Line line : came) lines.line(line.bytes(), 0, line.bytes().length);
        Content cameContent = lines.content();
        long cameBytes = lines.textBytes();
        for (Line line : went) lines.line(line.bytes(), 0, line.bytes().length);
        lines.close();
        Content before = range.base().stream().map(Part::content).reduce(Content.NONE, Content::plus);
        String sha256 = lines.sha256();
        var delta = new Delta(range.from(), range.until(), before, after, cameContent, lines.content().minus(cameContent), "parts/delta-" + sha256.substring(0, 32), sha256,
                lines.bytes(), cameBytes, lines.textBytes());
        if (delta.bytes() >= worth || !delta.addsUp() || delta.textBytes() == 0) return Optional.empty();
        lines.put(store, delta.object());
        return Optional.of(delta);
    }

    @Override
    public void close() {
        try {
            if (base.isPresent()) base.get().close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
