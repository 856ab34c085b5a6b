package lockstep.masterdata.engine.dump;

import java.util.List;
import java.util.Optional;
import lockstep.masterdata.engine.parts.Delta;
import lockstep.masterdata.engine.parts.KeyRange;
import lockstep.masterdata.engine.parts.Part;

/** A batch that was dumped: the parts of each range, in key order, and the delta from its earlier parts, if there is one. */
public record Dumped(int batch, List<RangeParts> ranges) {
    public record RangeParts(KeyRange range, List<Part> parts, Optional<Delta> delta) {}
}
