package lockstep.clinic.configuration;

import java.nio.file.Path;
import java.util.Optional;
import lockstep.clinic.store.DatabaseLogin;

public record AddUserConfiguration(DatabaseLogin database, Optional<Path> databaseAuthority) {}
