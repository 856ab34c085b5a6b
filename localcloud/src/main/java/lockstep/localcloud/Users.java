package lockstep.localcloud;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import lockstep.project.ProjectFiles;

/** The users of the local production shards, where nobody can sign up. */
final class Users {
    static final String CUSTOMER = "sample";
    static final String NAME = "operator";
    private final Path directory;

    Users(ProjectFiles files) {
        directory = files.home().resolve("users");
    }

    /** Returns the file with the password in one line; a random password is created if there is none. */
    Path password(String shard) {
        Path file = file(shard);
        try {
            if (!Files.exists(file)) {
                Files.createDirectories(directory);
                ProjectFiles.writePrivately(file, (ClientCertificates.randomPassword() + "\n").getBytes(StandardCharsets.UTF_8));
            }
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the user of a shard; empty if there is none. */
    Optional<User> find(String shard) {
        try {
            return Files.exists(file(shard)) ? Optional.of(new User(CUSTOMER, NAME, Files.readString(file(shard)).strip()))
                    : Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void forget(String shard) {
        try {
            Files.deleteIfExists(file(shard));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path file(String shard) {
        return directory.resolve(shard + ".password");
    }
}
