package lockstep.landscape;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The old database of a migration, which is no shard. Lockstep only reads it.
 *
 * @param host    its writer, whose changes are followed
 * @param replica a replica or clone from which tables are copied; if empty, the writer
 * @param name    the database, which MySQL also calls a schema
 * @param secret  the ARN of the secret with {@code username} and {@code password} of a user who may read it
 * @param ca      a file with the CA certificate of the server; if empty, Amazon's and public authorities are trusted
 * @param local   the command on this machine whose output, SQL, fills the server that takes its place in the local cloud
 */
public record MigrationSource(Engine engine, String host, Optional<String> replica, int port, String name, String secret,
        Optional<Path> ca, List<String> local) {
    /** A kind of server. */
    public enum Engine {
        MYSQL(3306), POSTGRES(5432);

        private final int port;

        Engine(int port) {
            this.port = port;
        }

        /** The port that such servers usually listen on. */
        public int port() {
            return port;
        }
    }

    public MigrationSource {
        local = List.copyOf(local);
    }
}
