package lockstep.migration.land;

import java.util.List;
import lockstep.masterdata.engine.copy.Content;
import lockstep.masterdata.engine.parts.Part;
import lockstep.migration.source.SourceTable;

/** A table at the landing's position, with the parts that its rows were written to. */
public record LandedTable(SourceTable table, List<Part> parts) {
    public LandedTable {
        parts = List.copyOf(parts);
    }

    /** Returns the number and digest of its rows, as they were read at the source. */
    public Content content() {
        return Part.contentOf(parts);
    }
}
