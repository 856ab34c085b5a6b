package lockstep.migration.land;

import lockstep.masterdata.engine.postgres.Sql;

/** The schemas that a migration creates in the target database; their names are quoted. */
public record Schemas(String migration) {
    /** The old tables, as they landed. */
    public String old() {
        return Sql.identifier("migrate_" + migration + "_old");
    }

    /** What SELECTs see of the old tables, and the numbers of the roots. */
    public String views() {
        return Sql.identifier("migrate_" + migration);
    }

    /** How far the migration is. */
    public String state() {
        return Sql.identifier("migrate_" + migration + "_state");
    }
}
