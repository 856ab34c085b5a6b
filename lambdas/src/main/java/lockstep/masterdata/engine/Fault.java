package lockstep.masterdata.engine;

import java.util.List;
import lockstep.masterdata.engine.restore.Preflight;

/**
 * The reason why a step of a sync failed. State machines match on the class name: {@link Transient} faults are retried, all
 * others end the sync (or, in a restore, the shard's part of it). The message says what is wrong, where, and how to fix it.
 */
public abstract sealed class Fault extends RuntimeException {
    private Fault(String message, Throwable cause) {
        super(message, cause);
    }

    /** A fault after which the same step may succeed when it is retried. */
    public abstract static sealed class Transient extends Fault {
        private Transient(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** The database can't be reached, or closed the connection. */
    public static final class DatabaseUnavailable extends Transient {
        public DatabaseUnavailable(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** The part store throttles requests or reports an internal error. */
    public static final class StoreUnavailable extends Transient {
        public StoreUnavailable(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** A lock is held by someone else: by another restore of the shard, or by another transaction in the database. */
    public static final class Busy extends Transient {
        public Busy(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** An event, a secret or a data set is invalid. */
    public static final class InvalidRequest extends Fault {
        public InvalidRequest(String message) {
            super(message, null);
        }
    }

    /** The database refuses the login or an operation because grants are missing. */
    public static final class AccessRefused extends Fault {
        public AccessRefused(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** The database's tables do not match the data set or the manifest. Nothing was changed. */
    public static final class SchemaMismatch extends Fault {
        public SchemaMismatch(String message) {
            this(message, null);
        }

        public SchemaMismatch(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** The snapshot was lost before the dump had ended. */
    public static final class SnapshotGone extends Fault {
        public SnapshotGone(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** The snapshot is not there yet. */
    public static final class SnapshotPending extends Fault {
        public SnapshotPending(String message) {
            super(message, null);
        }
    }

    /** One or more batches of the dump or of the staging failed; the message carries the first cause. */
    public static final class BatchFailed extends Fault {
        public BatchFailed(String message) {
            super(message, null);
        }
    }

    /** The manifest is not the one that was sealed, or contains something that this receiver does not allow. */
    public static final class ManifestRefused extends Fault {
        public ManifestRefused(String message) {
            super(message, null);
        }
    }

    /** A file to be imported does not match its table. Nothing was changed. */
    public static final class FileRefused extends Fault {
        public FileRefused(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /**
     * The rows that arrived at the server, or the table's rows after an import, differ from the file. The import was rolled back: nothing
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

    /** The snapshot is older than the one that is applied. */
    public static final class OutOfOrder extends Fault {
        public OutOfOrder(String message) {
            super(message, null);
        }
    }

    /** A constraint of the target rejects rows that the source allows. */
    public static final class MergeConflict extends Fault {
        public MergeConflict(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** After the merge the target's rows differed from the manifest; the merge was rolled back. */
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

    /** The target has changed since Preflight planned the restore: Preflight has to plan again. Nothing was changed. */
    public static final class Drifted extends Fault {
        private final List<String> tables;

        /** @param tables the tables whose recorded state can no longer be trusted */
        public Drifted(String message, List<String> tables) {
            super(message, null);
            this.tables = List.copyOf(tables);
        }

        public List<String> tables() {
            return tables;
        }
    }

    /** STS refuses the session policy, because it names too many objects for its packed size. */
    public static final class PolicyTooLarge extends Fault {
        public PolicyTooLarge(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** A function may not have the time for this step, which a task repeats. Nothing was changed. */
    public static final class TooLong extends Fault {
        public TooLong(String message) {
            super(message, null);
        }
    }

    /** The source of a migration can't be copied as it is. Nothing was changed. */
    public static final class SourceRefused extends Fault {
        public SourceRefused(String message) {
            super(message, null);
        }
    }

    /** Tables of a migration's source changed their definition while they were copied. */
    public static final class SourceChanged extends Fault {
        public SourceChanged(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** Rows of a migration can't be derived from their source rows; the message names the root, the statement and the rows. */
    public static final class DerivationFailed extends Fault {
        public DerivationFailed(String message) {
            super(message, null);
        }
    }

    /** Any other error: a bug in Lockstep or in the database. */
    public static final class Unexpected extends Fault {
        public Unexpected(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
