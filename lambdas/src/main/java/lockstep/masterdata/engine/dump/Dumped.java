package lockstep.masterdata.engine.dump;

import java.util.List;
import java.util.Optional;
import lockstep.masterdata.engine.parts.Delta;
import lockstep.masterdata.engine.parts.KeyRange;
import lockstep.masterdata.engine.parts.Part;

/** What a worker wrote of a batch: the parts of each of its ranges, in key order, and how they differ from those before. */
public record Dumped(int batch, List<RangeParts> ranges) {
    public record RangeParts(KeyRange range, List<Part> parts, Optional<Delta> delta) {}
}
