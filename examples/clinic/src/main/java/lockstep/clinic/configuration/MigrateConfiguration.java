package lockstep.clinic.configuration;

import java.nio.file.Path;
import java.util.Optional;
import lockstep.clinic.store.DatabaseLogin;

public record MigrateConfiguration(DatabaseLogin admin, DatabaseLogin application, Optional<Path> databaseAuthority) {}
