package lockstep.masterdata.engine;

import java.util.List;

/** What a worker wrote of a batch: the parts of each of its ranges, in key order. */
public record Dumped(int batch, List<RangeParts> ranges) {
    public record RangeParts(KeyRange range, List<Part> parts) {}
}
