package lockstep.masterdata.handler;

import com.github.luben.zstd.Zstd;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Stream;
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
        loadAll();
    }

    /**
     * Loads what functions need when services answer, because the calls get no answer: the classes of their jars, and of the JDK those for
     * TLS and XML.
     */
    private static void loadAll() {
        // the packages of which functions use most classes; not constants, because functions would set them up at each start
        var ours = Pattern.compile("(lockstep/(?!delivery)|org/postgresql/|tools/jackson/|com/amazonaws/services/lambda/runtime/(?!events)"
                + "|software/amazon/awssdk/(core|protocols|awscore|http)/).*\\.class");
        var jdk = List.of("java.base/sun/security/ssl", "java.base/sun/security/x509", "java.base/sun/security/provider/certpath",
                "java.base/sun/security/ec", "java.base/com/sun/crypto/provider", "java.base/sun/security/validator",
                "java.base/java/security/cert", "java.xml/com/sun/org/apache/xerces/internal/impl",
                "java.xml/com/sun/org/apache/xerces/internal/util");
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator)).forEach(jar -> {
            try (var file = new JarFile(jar)) {
                file.stream().map(JarEntry::getName).filter(name -> ours.matcher(name).matches()).forEach(Priming::loadClass);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        for (String used : jdk) {
            try (var files = Files.list(FileSystems.getFileSystem(URI.create("jrt:/")).getPath("modules", used))) {
                files.map(Path::toString).filter(name -> name.endsWith(".class"))
                        .forEach(name -> loadClass(name.replaceFirst("/modules/[^/]+/", "")));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static void loadClass(String file) {
        try {
            // an archive holds linked classes only, and asking for the methods links
            Class.forName(file.replace(".class", "").replace('/', '.'), false, Priming.class.getClassLoader()).getDeclaredMethods();
        } catch (ClassNotFoundException | LinkageError e) {
            // needs a library that functions do not have
        }
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
