package lockstep.clinic;

import java.nio.file.Path;
import java.util.Optional;
import lockstep.clinic.store.DatabaseLogin;

record MigrateConfiguration(DatabaseLogin admin, DatabaseLogin application, Optional<Path> databaseAuthority) {
}
