package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.concurrent.ExecutionException;
import lockstep.masterdata.engine.parts.Causes;
import org.junit.jupiter.api.Test;

class CausesTest {
    @Test
    void errorsAreNamedWithoutTheirClasses() {
        assertEquals("MergeConflict", Causes.error("lockstep.masterdata.engine.Fault$MergeConflict"));
        assertEquals("States.Timeout", Causes.error("States.Timeout"));
        assertEquals("Sandbox.Timedout", Causes.error("Sandbox.Timedout"));
        assertEquals("OutOfMemory", Causes.error("java.lang.OutOfMemoryError"));
        assertEquals("Unexpected", Causes.error("software.amazon.awssdk.services.s3.model.S3Exception"));
        assertEquals("RestoreFailed", Causes.error("RestoreFailed"));
    }

    @Test
    void theMessageStandsForTheException() {
        assertEquals("no such row", Causes.message(
                "{\"errorMessage\":\"no such "
                        + "row\",\"errorType\":\"lockstep.masterdata.engine.Fault$MergeConflict\",\"stackTrace\":[\"x\"]}"));
        assertEquals("first failure: StoreUnavailable: gone",
                Causes.message("first failure: lockstep.masterdata.engine.Fault$StoreUnavailable: gone"));
        assertEquals("ERROR: ConnectException: refused", Causes.message("ERROR: java.net.ConnectException: refused"));
        assertFalse(Causes.message("{\"errorType\":\"java.lang.NullPointerException\",\"stackTrace\":[\"at a.b.C\"]}").contains("java."));
        assertEquals("plain {text", Causes.message("plain {text"));
        assertEquals("{\"a\":1}", Causes.message("{\"a\":1}"));
    }

    @Test
    void whatPassesAnExceptionOnIsLeftOut() {
        assertEquals("refused", Causes.message(new ExecutionException(new IllegalStateException("refused"))));
        assertEquals("an error without a message", Causes.message(new NullPointerException()));
    }

    @Test
    void namesOfTablesAndFilesAreNotTakenForClasses() {
        assertEquals("table master.Error, column master.drug.error, file a.b.Csv",
                Causes.message("table master.Error, column master.drug.error, file a.b.Csv"));
    }

    @Test
    void theSameCauseInTwoDatabasesReadsTheSame() {
        assertEquals("the database: ERROR: x (SQLSTATE 23505)",
                Causes.withoutAddress("database 127.0.0.1:5433/clinic: ERROR: x (SQLSTATE 23505)"));
        assertEquals("the target can't take sync s",
                Causes.withoutAddress("the target demo.cluster-x.eu-central-1.rds.amazonaws.com:5432/clinic can't take sync s"));
        assertEquals("database drivers and/or more", Causes.withoutAddress("database drivers and/or more"));
    }
}
