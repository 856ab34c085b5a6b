package lockstep.landscape;

import java.nio.file.Path;
import java.util.Optional;

/**
 * A PostgreSQL database that exists already. Lockstep owns two logins and the schema {@code lockstep} in it, and nothing else.
 *
 * @param secret the ARN of the secret with {@code username} and {@code password} of the administrator who creates them
 * @param ca     a file with the CA certificate of the server; if empty, Amazon's and public authorities are trusted
 * @param local  the database that takes its place in the local cloud
 * @param localSchema instead, a file with the SQL from which the local cloud creates one
 */
public record ExistingDatabase(String host, int port, String name, String secret, Optional<Path> ca, Optional<Local> local,
        Optional<Path> localSchema) {
    /**
     * A database on this machine.
     *
     * @param host         a loopback address
     * @param user         the administrator
     * @param passwordFile a file that contains only the administrator's password
     * @param ca           a file with the CA certificate of the server; if empty, connections are not encrypted
     */
    public record Local(String host, int port, String name, String user, Path passwordFile, Optional<Path> ca) {}
}
