package lockstep.masterdata.engine;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/**
 * Finds the rows by which a range differs from what it was, by the lines of both: those that came and those that went. Lines of
 * the past are known by the lower half of their digest, 64 bits; two that share it would make a delta that does not add up,
 * and such a one is not given out.
 */
final class DeltaWriter {
    private final KeyRange range;
    private final List<byte[]> base;
    private final Known known;
    private final Packed lines = new Packed();
    private Content after = Content.NONE;
    private Content came = Content.NONE;
    private long cameBytes;

    private DeltaWriter(KeyRange range, List<byte[]> base) throws IOException {
        this.range = range;
        this.base = base;
        this.known = new Known(range.base().stream().mapToLong(Part::rows).sum());
        for (byte[] object : base) Lines.each(text(object), (bytes, from, length) -> known.add(hash(bytes, from, length)));
    }

    /** Nothing when the range has no past, or one that can't be read: then there are only whole parts. */
    static Optional<DeltaWriter> against(PartStore store, KeyRange range) {
        if (range.base().isEmpty()) return Optional.empty();
        try {
            var base = new ArrayList<byte[]>();
            for (Part part : range.base()) {
                var object = store.open(part.object());
                if (object.isEmpty()) return Optional.empty();
                try (InputStream in = object.get()) {
                    base.add(in.readAllBytes());
                }
            }
            return Optional.of(new DeltaWriter(range, base));
        } catch (IOException | UncheckedIOException | Known.Full e) {
            return Optional.empty();
        }
    }

    /** Takes the lines of a part of the range as it is now. */
    void part(Packed part) {
        try {
            Lines.each(part.text(), (bytes, from, length) -> {
                if (!known.mark(hash(bytes, from, length))) lines.line(bytes, from, length);
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        after = after.plus(part.content());
        came = lines.content();
        cameBytes = lines.textBytes();
    }

    /**
     * Puts the delta into the store when all parts were given.
     *
     * @param worth a delta of as many bytes is worth nothing
     */
    Optional<Delta> finish(PartStore store, long worth) {
        try {
            for (byte[] object : base)
                Lines.each(text(object), (bytes, from, length) -> {
                    if (!known.marked(hash(bytes, from, length))) lines.line(bytes, from, length);
                });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        lines.close();
        Content before = range.base().stream().map(Part::content).reduce(Content.NONE, Content::plus);
        String sha256 = lines.sha256();
        var delta = new Delta(range.from(), range.until(), before, after, came, lines.content().minus(came), "parts/delta-" + sha256.substring(0, 32), sha256,
                lines.bytes(), cameBytes, lines.textBytes());
        if (delta.bytes() >= worth || !delta.addsUp() || delta.textBytes() == 0) return Optional.empty();
        lines.put(store, delta.object());
        return Optional.of(delta);
    }

    private static InputStream text(byte[] object) {
        return Packed.text(new ByteArrayInputStream(object));
    }

    private static long hash(byte[] bytes, int from, int length) {
        return RowDigest.ofLine(bytes, from, length - 1).low();
    }

    /** A set of hashes, 11 to 22 bytes each, of which some are marked. */
    private static final class Known {
        /** 32 MB of hashes: two streams fit a worker's heap. */
        static final long MOST = 2 << 20;

        static final class Full extends RuntimeException {}

        private final long[] slots;
        private final BitSet marked;
        private long room;

        /** @param size how many hashes there will be at most */
        Known(long size) {
            if (size > MOST) throw new Full();
            int slots = Integer.highestOneBit((int) Math.max(8, size + size / 3)) << 1;
            this.slots = new long[slots];
            this.marked = new BitSet(slots);
            this.room = size;
        }

        void add(long hash) {
            if (room-- == 0) throw new Full();
            slots[slot(hash)] = free(hash);
        }

        /** Whether it is known; now it is marked. */
        boolean mark(long hash) {
            int slot = slot(hash);
            if (slots[slot] == 0) return false;
            marked.set(slot);
            return true;
        }

        boolean marked(long hash) {
            return marked.get(slot(hash));
        }

        /** Where it is, or would be. */
        private int slot(long hash) {
            int slot = (int) hash & slots.length - 1;
            while (slots[slot] != 0 && slots[slot] != free(hash)) slot = slot + 1 & slots.length - 1;
            return slot;
        }

        /** 0 is a slot that is free. */
        private static long free(long hash) {
            return hash == 0 ? 1 : hash;
        }
    }
}
