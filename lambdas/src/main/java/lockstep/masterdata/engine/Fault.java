package lockstep.masterdata.engine;

import java.util.List;
import lockstep.masterdata.engine.restore.Preflight;

/**
 * Why a step of a sync could not be done. The class name is what a state machine matches on: {@link Transient} ones are
 * retried, all others end the sync (or, in a restore, the shard's part of it). The message says what is wrong, where, and
 * how to mend it.
 */
public abstract sealed class Fault extends RuntimeException {
    private Fault(String message, Throwable cause) {
        super(message, cause);
    }

    /** Worth another try as it stands. */
    public abstract static sealed class Transient extends Fault {
        private Transient(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** The database can't be reached, or ended the connection. */
    public static final class DatabaseUnavailable extends Transient {
        public DatabaseUnavailable(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** The store of parts answers with throttling or a fault of its own. */
    public static final class StoreUnavailable extends Transient {
        public StoreUnavailable(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** Somebody else holds what is needed: another restore of the shard, or a row lock of a visitor's transaction. */
    public static final class Busy extends Transient {
        public Busy(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** The event, a secret or a data set is not what a function can work with. */
    public static final class InvalidRequest extends Fault {
        public InvalidRequest(String message) {
            super(message, null);
        }
    }

    /** The database refuses the login or an operation: a matter of grants. */
    public static final class AccessRefused extends Fault {
        public AccessRefused(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** The database's tables don't fit the data set or the manifest. Nothing was changed. */
    public static final class SchemaMismatch extends Fault {
        public SchemaMismatch(String message) {
            this(message, null);
        }

        public SchemaMismatch(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** The holder of the snapshot ended before the dump did. */
    public static final class SnapshotGone extends Fault {
        public SnapshotGone(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** One or more batches of the dump or of the staging failed; the message carries the first cause. */
    public static final class BatchFailed extends Fault {
        public BatchFailed(String message) {
            super(message, null);
        }
    }

    /** The manifest is not the one that was sealed, or holds what this receiver does not allow. */
    public static final class ManifestRefused extends Fault {
        public ManifestRefused(String message) {
            super(message, null);
        }
    }

    /** A file that was to be imported does not fit its table. Nothing was changed. */
    public static final class FileRefused extends Fault {
        public FileRefused(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /**
     * What arrived at the server, or what the table holds after an import, is not what the file says. The import was rolled back: nothing
     * was changed.
     */
    public static final class ImportMismatch extends Fault {
        public ImportMismatch(String message) {
            super(message, null);
        }
    }

    /** A part is missing, truncated or altered. */
    public static final class PartRefused extends Fault {
        public PartRefused(String message) {
            super(message, null);
        }
    }

    /** The snapshot is older than the one in force. */
    public static final class OutOfOrder extends Fault {
        public OutOfOrder(String message) {
            super(message, null);
        }
    }

    /** A constraint of the target refuses rows that the source allows. */
    public static final class MergeConflict extends Fault {
        public MergeConflict(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** After the merge the target's own rows were not those of the manifest; the merge was rolled back. */
    public static final class VerificationFailed extends Fault {
        public VerificationFailed(String message) {
            super(message, null);
        }
    }

    /** The merge would have changed rows outside the data set that refer to master rows; it was rolled back. */
    public static final class VisitorRowsChanged extends Fault {
        public VisitorRowsChanged(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** The target is not what it was known to be when Preflight decided: Preflight has to decide again. Nothing was changed. */
    public static final class Drifted extends Fault {
        private final List<String> tables;

        /** @param tables what is recorded of these can't be trusted */
        public Drifted(String message, List<String> tables) {
            super(message, null);
            this.tables = List.copyOf(tables);
        }

        public List<String> tables() {
            return tables;
        }
    }

    /** An error that no other kind names: a defect, of ours or of the database. */
    public static final class Unexpected extends Fault {
        public Unexpected(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
