package lockstep.migration.land;

import java.util.List;

/**
 * What was read from a source at one position.
 *
 * @param position from which its changes would have to be followed: a GTID set of MySQL, or an LSN of PostgreSQL
 */
public record LandingManifest(String migration, String position, List<LandedTable> tables) {
    public LandingManifest {
        tables = List.copyOf(tables);
    }
}
