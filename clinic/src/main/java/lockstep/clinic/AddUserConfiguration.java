package lockstep.clinic;

import java.nio.file.Path;
import java.util.Optional;
import lockstep.clinic.store.DatabaseLogin;

record AddUserConfiguration(DatabaseLogin database, Optional<Path> databaseAuthority) {
}
