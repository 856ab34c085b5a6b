package lockstep.masterdata.engine;

import java.util.List;

/** What one worker dumps in one invocation. */
public record Batch(int index, List<KeyRange> ranges) {}
