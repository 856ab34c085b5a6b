package lockstep.masterdata.engine.dump;

import java.util.List;
import lockstep.masterdata.engine.parts.KeyRange;

/** The key ranges that one worker dumps in one invocation. */
public record Batch(int index, List<KeyRange> ranges) {}
