package lockstep.masterdata.engine.dump;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import lockstep.masterdata.engine.copy.CopyText;
import lockstep.masterdata.engine.dump.Dumped.RangeParts;
import lockstep.masterdata.engine.parts.KeyRange;
import lockstep.masterdata.engine.parts.Packed;
import lockstep.masterdata.engine.parts.Part;
import lockstep.masterdata.engine.parts.PartStore;

/**
 * Writes the lines of a key range as parts: compresses and digests them, and stores a part when its text has reached the target size. The
 * parts cover the range without gaps. A range that has not changed since the earlier manifest is neither compressed nor stored again;
 * for a changed one, a delta is written as well.
 */
public final class PartWriter implements AutoCloseable {
    private final PartStore store;
    private final String prefix;
    private final int[] key;
    private final KeyRange range;
    private final long cutAt;
    private final List<Part> parts = new ArrayList<>();
    private final Packed lines = new Packed();
    private final DeltaWriter delta;
    private List<String> from;
    /** Whether all lines so far equal the earlier ones; they are counted but not packed yet. */
    private boolean sameSoFar;

    /**
     * @param prefix    of the keys under which parts are stored
     * @param partBytes target size of a part's COPY text
     */
    public PartWriter(PartStore store, String prefix, int[] key, KeyRange range, long partBytes) {
        this.store = store;
        this.prefix = prefix;
        this.key = key;
        this.range = range;
        this.cutAt = cutAt(range, partBytes);
        this.from = range.from();
        this.delta = new DeltaWriter(store, prefix, range);
        this.sameSoFar = delta.isInStep();
    }

    /** Returns the text size at which a part ends. An existing part may grow before it is cut in half, so that bounds rarely change. */
    private static long cutAt(KeyRange range, long partBytes) {
        long before = range.base().stream().mapToLong(Part::textBytes).sum();
        if (before == 0) return partBytes;
        return before > partBytes * 5 / 4 ? Math.ceilDiv(before, 2) : partBytes * 3 / 2;
    }

    /** Takes the next line, including its newline. */
    public void line(byte[] line) {
        if (lines.textBytes() >= cutAt) {
            List<String> bound = CopyText.fields(line, key);
            end(bound);
            lines.clear();
            from = bound;
        }
        delta.line(line);
        if (sameSoFar && !delta.isInStep()) packUnchangedLines();
        if (sameSoFar) lines.count(line);
        else lines.line(line);
    }

    private void packUnchangedLines() {
        delta.packBeginning(lines, lines.textBytes());
        sameSoFar = false;
    }

    /** Writes the last part and the delta. */
    public RangeParts finish() {
        if (parts.isEmpty() && range.base().size() == 1) {
            Part before = range.base().getFirst();
            if (before.content().equals(lines.content()) && delta.hasRead(before))
                return new RangeParts(range, List.of(before), Optional.empty());
        }
        end(range.until());
        long bytes = parts.stream().mapToLong(Part::bytes).sum();
        return new RangeParts(range, List.copyOf(parts), delta.finish(store, Part.contentOf(parts), bytes));
    }

    private void end(List<String> until) {
        if (sameSoFar) packUnchangedLines();
        parts.add(lines.part(store, prefix, from, until));
    }

    @Override
    public void close() {
        lines.close();
        delta.close();
    }
}
