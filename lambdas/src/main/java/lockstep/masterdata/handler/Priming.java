package lockstep.masterdata.handler;

import com.github.luben.zstd.Zstd;
import java.nio.charset.StandardCharsets;
import java.util.List;
import lockstep.landscape.DataSet;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.aws.SourceReader;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.postgres.PostgresDatabase;
import lockstep.masterdata.engine.postgres.PostgresDatabase.Login;
import org.crac.Context;
import org.crac.Core;
import org.crac.Resource;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.sfn.SfnClient;

/**
 * Executes the usual start of most functions once, so that what they load is in a class data archive, or in Lambda's snapshot of a new
 * version (SnapStart).
 */
public final class Priming implements Resource {
    private static final String NOWHERE = "arn:aws:lockstep:nowhere";
    private static final Priming PRIMING = new Priming();

    private Priming() {}

    /** Primes this process before Lambda takes a snapshot of it. Does nothing if Lambda takes none. */
    static void beforeSnapshot() {
        Core.getGlobalContext().register(PRIMING);
    }

    @Override
    public void beforeCheckpoint(Context<? extends Resource> context) {
        load();
    }

    @Override
    public void afterRestore(Context<? extends Resource> context) {}

    public static void main(String[] ignored) {
        for (var handler : List.of(lockstep.delivery.Notify.class, ImportTable.class, ManageManifests.class, PrepareDatabase.class,
                ReadSource.class, ReportStatus.class, RestoreShards.class, StartRestore.class, Watch.class)) {
            run(() -> handler.getConstructor().newInstance());
        }
        load();
        call();
    }

    /** Loads what works without a network. */
    private static void load() {
        run(() -> Json.MAPPER.readValue("{\"sync\":{\"syncId\":\"x\"},\"shard\":{\"name\":\"x\"},\"batch\":{\"from\":0,\"until\":1}}",
                StageParts.Event.class));
        run(() -> Json.MAPPER.readValue("{\"format\":1,\"tables\":[]}", Manifest.class));
        run(() -> Json.MAPPER.writeValueAsString(new DataSet("x", "x", List.of())));
        byte[] bytes = "1\tx\n".getBytes(StandardCharsets.UTF_8);
        run(() -> Zstd.decompress(Zstd.compress(bytes), bytes.length));
        run(() -> Clients.store("nowhere"));
        run(() -> Clients.signature(NOWHERE));
        run(() -> SfnClient.builder().httpClient(Clients.Http.CLIENT).build());
        run(() -> new PostgresDatabase(new Login("127.0.0.1", 1, "x", "x", "x")).connect());
    }

    /** Calls services that do not answer, so each call ends in an expected fault. */
    private static void call() {
        byte[] bytes = "1\tx\n".getBytes(StandardCharsets.UTF_8);
        run(() -> Clients.store("nowhere").open("x"));
        run(() -> { Clients.store("nowhere").put("x", bytes, bytes.length); return null; });
        run(() -> Clients.signature(NOWHERE).sign(bytes));
        run(() -> Clients.signature(NOWHERE).verify(bytes, bytes));
        run(() -> Clients.database(NOWHERE));
        run(() -> new SourceReader(NOWHERE, "x", "nowhere", NOWHERE).manifest("x", "x"));
        run(() -> SfnClient.builder().httpClient(Clients.Http.CLIENT).build().startExecution(r -> r.stateMachineArn(NOWHERE)));
    }

    private interface Step {
        Object take() throws ReflectiveOperationException;
    }

    private static void run(Step step) {
        try {
            step.take();
        } catch (Fault | SdkException | tools.jackson.core.JacksonException | IllegalArgumentException | NullPointerException
                | ReflectiveOperationException e) {
            System.out.println("primed: " + e.getClass().getSimpleName());
        }
    }
}
