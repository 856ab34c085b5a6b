package lockstep.masterdata.engine.dump;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import lockstep.masterdata.engine.copy.Content;
import lockstep.masterdata.engine.copy.CopyText;
import lockstep.masterdata.engine.dump.Dumped.RangeParts;
import lockstep.masterdata.engine.parts.KeyRange;
import lockstep.masterdata.engine.parts.Packed;
import lockstep.masterdata.engine.parts.Part;
import lockstep.masterdata.engine.parts.PartStore;

/**
 * Turns the lines of a key range into parts: compresses, digests, and puts a part into the store when its text has reached
 * the size of one. Parts follow each other without a gap, from the range's beginning to its end. What the range held in the
 * manifest before is neither compressed nor put again, and what became of it is told as a delta.
 */
public final class PartWriter implements AutoCloseable {
    private final PartStore store;
    private final int[] key;
    private final KeyRange range;
    private final long cutAt;
    private final List<Part> parts = new ArrayList<>();
    private final Packed lines = new Packed();
    private final DeltaWriter delta;
    private List<String> from;
    /** The lines are not packed: so far they are what the range began with. */
    private boolean sameSoFar;

    /** @param partBytes aimed size of a part, in COPY text */
    public PartWriter(PartStore store, int[] key, KeyRange range, long partBytes) {
        this.store = store;
        this.key = key;
        this.range = range;
        this.cutAt = cutAt(range, partBytes);
        this.from = range.from();
        this.delta = new DeltaWriter(store, range);
        this.sameSoFar = delta.isInStep();
    }

    /** A part that was there before may grow for a while before it is cut, and then in the middle: so bounds move seldom. */
    private static long cutAt(KeyRange range, long partBytes) {
        long before = range.base().stream().mapToLong(Part::textBytes).sum();
        if (before == 0) return partBytes;
        return before > partBytes * 5 / 4 ? Math.ceilDiv(before, 2) : partBytes * 3 / 2;
    }

    /** Takes the next line, its newline included. */
    public void line(byte[] line) {
        if (lines.textBytes() >= cutAt) {
            List<String> bound = CopyText.fields(line, key);
            end(bound);
            lines.clear();
            from = bound;
        }
        delta.line(line);
        if (sameSoFar && !delta.isInStep()) packWhatIsTheSame();
        if (sameSoFar) lines.count(line);
        else lines.line(line);
    }

    private void packWhatIsTheSame() {
        delta.packBeginning(lines, lines.textBytes());
        sameSoFar = false;
    }

    /** Ends the last part. */
    public RangeParts finish() {
        if (parts.isEmpty() && range.base().size() == 1) {
            Part before = range.base().getFirst();
            if (before.content().equals(lines.content()) && delta.hasRead(before)) return new RangeParts(range, List.of(before), Optional.empty());
        }
        end(range.until());
        long worth = parts.stream().mapToLong(Part::bytes).sum();
        return new RangeParts(range, List.copyOf(parts), delta.finish(store, Part.contentOf(parts), worth));
    }

    private void end(List<String> until) {
        if (sameSoFar) packWhatIsTheSame();
        lines.close();
        String sha256 = lines.sha256();
        Content content = lines.content();
        // put even if there is such an object: an old one may be about to be collected
        String object = lines.put(store, "parts/" + content.digest() + "-" + sha256.substring(0, 16));
        parts.add(new Part(from, until, content.rows(), content.digest(), object, sha256, lines.bytes(), lines.textBytes()));
    }

    @Override
    public void close() {
        lines.close();
        delta.close();
    }
}
