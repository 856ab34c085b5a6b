package lockstep.landscape;

import java.nio.file.Path;

/**
 * A migration that a landscape declares: from which database, and into which shard.
 *
 * @param target    the shard into whose database the new model is derived; the migration runs in its account
 * @param directory {@code migrations/NAME} next to lockstep.yaml, with migration.yaml and the SQL files
 */
public record DeclaredMigration(String name, MigrationSource source, String target, Path directory) {}
