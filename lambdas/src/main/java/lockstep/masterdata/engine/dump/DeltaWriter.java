package lockstep.masterdata.engine.dump;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import lockstep.masterdata.engine.copy.Content;
import lockstep.masterdata.engine.copy.Lines;
import lockstep.masterdata.engine.parts.Delta;
import lockstep.masterdata.engine.parts.KeyRange;
import lockstep.masterdata.engine.parts.Packed;
import lockstep.masterdata.engine.parts.Part;
import lockstep.masterdata.engine.parts.PartStore;

/**
 * Computes the delta between a range's earlier rows and its current ones. Both are in key order, so it reads them in parallel and
 * keeps only lines in memory that the other side has not had so far. It gives up when these are too many for a useful delta, and
 * when there are no earlier rows or they can't be read.
 */
final class DeltaWriter implements AutoCloseable {
    /** The least limit for unmatched lines, so that all lines of a small range may differ. */
    private static final long FEW_BYTES = 1 << 20;
    private static final int CHUNK = 64 << 10;

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
    private final String prefix;
    /** The range's earlier rows, compressed; empty when there are none or they can't be read. */
    private final List<byte[]> objects;
    private final Set<Line> came = new LinkedHashSet<>();
    private final Set<Line> went = new LinkedHashSet<>();
    /** The earlier lines; empty when there will be no delta. */
    private Optional<Lines> base;
    private boolean inStep;
    private long room;

    DeltaWriter(PartStore store, String prefix, KeyRange range) {
        this.prefix = prefix;
        this.range = range;
        this.objects = objects(store, range);
        this.base = objects.isEmpty() ? Optional.empty() : Optional.of(new Lines(text()));
        this.inStep = base.isPresent();
        this.room = Math.max(FEW_BYTES, range.base().stream().mapToLong(Part::textBytes).sum() / 2);
    }

    private static List<byte[]> objects(PartStore store, KeyRange range) {
        var objects = new ArrayList<byte[]>();
        for (Part part : range.base()) {
            var object = Packed.open(store::open, part.object());
            if (object.isEmpty()) return List.of();
            try (InputStream in = object.get()) {
                // read at once, because the store's connection would time out while a slow source sends rows
                objects.add(in.readAllBytes());
            } catch (IOException e) {
                return List.of();
            }
        }
        return objects;
    }

    /** Reports whether the range consisted of only this part, and its object in the store is intact. */
    boolean hasRead(Part part) {
        return objects.size() == 1 && objects.getFirst().length == part.bytes()
                && Packed.sha256(objects.getFirst(), part.bytes()).equals(part.sha256());
    }

    private InputStream text() {
        return new SequenceInputStream(
                Collections.enumeration(objects.stream().map(o -> Packed.text(new ByteArrayInputStream(o))).toList()));
    }

    /** Reports whether all lines so far equal the earlier lines from the beginning of the range. */
    boolean isInStep() {
        return inStep;
    }

    /** Packs this many bytes from the beginning of the earlier lines. */
    void packBeginning(Packed lines, long bytes) {
        try (InputStream text = text()) {
            byte[] chunk = new byte[CHUNK];
            for (long left = bytes; left > 0;) {
                int read = text.read(chunk, 0, (int) Math.min(left, CHUNK));
                if (read < 0) throw new IllegalStateException("lines that were read before no longer exist");
                lines.pack(chunk, read);
                left -= read;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Takes the next current line, including its newline. */
    void line(byte[] line) {
        if (base.isEmpty()) return;
        Lines before = base.get();
        try {
            while (!before.skip(line)) {
                inStep = false;
                // the line was read earlier on the other side
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
        inStep = false;
        came.clear();
        went.clear();
    }

    /**
     * Writes the delta to the store, after all lines were given.
     *
     * @param after     the current content of the range
     * @param partBytes the size of the range's parts; a delta that is not smaller is dropped
     */
    Optional<Delta> finish(PartStore store, Content after, long partBytes) {
        try {
            Optional<byte[]> left;
            while (base.isPresent() && (left = base.get().next()).isPresent()) if (!took(came, left.get())) put(went, left.get());
        } catch (IOException e) {
            giveUp();
        }
        if (base.isEmpty()) return Optional.empty();
        Packed lines = new Packed();
        for (Line line : came) lines.line(line.bytes());
        Content cameContent = lines.content();
        long cameBytes = lines.textBytes();
        for (Line line : went) lines.line(line.bytes());
        lines.close();
        Content before = Part.contentOf(range.base());
        String sha256 = lines.sha256();
        Content wentContent = lines.content().minus(cameContent);
        if (lines.bytes() >= partBytes || !before.minus(wentContent).plus(cameContent).equals(after) || lines.textBytes() == 0)
            return Optional.empty();
        String object = lines.put(store, prefix + "delta-" + sha256.substring(0, 32));
        return Optional.of(new Delta(range.from(), range.until(), before, after, cameContent, wentContent, object, sha256, lines.bytes(),
                cameBytes, lines.textBytes()));
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
