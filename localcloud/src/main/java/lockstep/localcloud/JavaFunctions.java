package lockstep.localcloud;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.api.client.AWSLambda;
import com.amazonaws.services.lambda.runtime.serialization.PojoSerializer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lockstep.project.Command;
import lockstep.project.ProjectFiles;
import software.amazon.awssdk.utilslite.SdkInternalThreadLocal;

/**
 * Runs Java functions on this machine with AWS's runtime interface client and the current JDK. A class archive of the artifact more than
 * halves the CPU time.
 */
public final class JavaFunctions {
    private static final String NATIVE_LIBRARY = "libaws-lambda-jni.so";
    private static final String CLIENT = Stream.of(AWSLambda.class, Context.class, PojoSerializer.class, SdkInternalThreadLocal.class)
            .map(JavaFunctions::jarOf)
            .map(Path::toString).collect(Collectors.joining(":"));

    private JavaFunctions() {}

    /** Returns the files by path that the archive of a function needs in addition to its jar. */
    public static Map<String, byte[]> runtime(ProjectFiles files) {
        return Map.of("bootstrap", bootstrap(files).getBytes(StandardCharsets.UTF_8), NATIVE_LIBRARY, nativeLibrary());
    }

    /** A copy of the artifact that no build overwrites, and the class archive, which is valid only for this file and JDK. */
    record Archive(Path jar, Path classes) {
        static Archive of(ProjectFiles files) {
            try {
                String digest = ProjectFiles.digest((ProjectFiles.digest(Files.readAllBytes(built(files))) + Runtime.version() + CLIENT)
                        .getBytes(StandardCharsets.UTF_8));
                Path directory = files.tools().resolve("functions").resolve(digest.substring(0, 16));
                return new Archive(directory.resolve("functions.jar"), directory.resolve("functions.aot"));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static Path built(ProjectFiles files) {
            return files.project().resolve("lambdas/target/image/functions.jar");
        }

        boolean exists() {
            return Files.exists(classes);
        }

        /**
         * Creates the class archive with a run that follows the path of a function's first call. Other archives are deleted; functions that
         * still use them start without one.
         */
        void make(ProjectFiles files) {
            try {
                Files.createDirectories(jar.getParent());
                // another cloud of this checkout may do the same at this moment
                Path fresh = Files.createTempFile(jar.getParent(), "functions", ".new");
                Files.copy(built(files), fresh, StandardCopyOption.COPY_ATTRIBUTES, StandardCopyOption.REPLACE_EXISTING);
                Files.move(fresh, jar, StandardCopyOption.ATOMIC_MOVE);
                var environment = Command.cleanEnvironment(files);
                environment.putAll(Map.of("AWS_ENDPOINT_URL", "https://127.0.0.1:1", "AWS_REGION", "eu-central-1", "AWS_ACCESS_KEY_ID",
                        "none", "AWS_SECRET_ACCESS_KEY", "none", "AWS_MAX_ATTEMPTS", "1"));
                new Command(
                        List.of(System.getProperty("java.home") + "/bin/java", "-XX:+UseSerialGC", "-XX:AOTCacheOutput=" + fresh,
                                "--enable-native-access=ALL-UNNAMED",
                                "-cp", CLIENT + ":" + jar, "lockstep.masterdata.handler.Priming"),
                        jar.getParent(), environment, files.log("class-archive")).run("creating the class archive of the functions");
                Files.move(fresh, classes, StandardCopyOption.ATOMIC_MOVE);
                try (var all = Files.list(jar.getParent().getParent())) {
                    all.filter(other -> !other.equals(jar.getParent())).forEach(ProjectFiles::deleteTree);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /**
     * Returns the script that starts a function, because the emulator runs a file named {@code bootstrap}. The function's JAVA_TOOL_OPTIONS
     * set the heap. The C2 compiler would cost more than it saves, because the data is small and an idle function ends after a minute. The
     * path of the native library is set, because otherwise each process would overwrite the file in /tmp that others have mapped, and crash
     * them.
     */
    private static String bootstrap(ProjectFiles files) {
        var archive = Archive.of(files);
        return """
                #!/bin/sh
                functions="$LAMBDA_TASK_ROOT/lib/functions.jar"
                if [ -f '%2$s' ] && cmp -s "$functions" '%1$s'; then
                    functions='%1$s'
                    set -- -XX:AOTCache='%2$s' -Xlog:aot=off -Xlog:cds=off
                fi
                exec '%3$s/bin/java' -XX:TieredStopAtLevel=1 "$@" -Djavax.net.ssl.trustStore='%4$s' -Djavax.net.ssl.trustStoreType=PKCS12 \\
                    -Dcom.amazonaws.services.lambda.runtime.api.client.runtimeapi.NativeClient.JNI="$LAMBDA_TASK_ROOT/%5$s" \\
                    --enable-native-access=ALL-UNNAMED -cp '%6$s':"$functions" com.amazonaws.services.lambda.runtime.api.client.AWSLambda \
                    "$_HANDLER"
                """.formatted(archive.jar(), archive.classes(), System.getProperty("java.home"),
                Certificates.in(files.certificates()).trustStore(), NATIVE_LIBRARY, CLIENT);
    }

    private static byte[] nativeLibrary() {
        String machine = PostgresServer.machine("x86_64", "aarch_64");
        try (var in = AWSLambda.class.getResourceAsStream("/jni/libaws-lambda-jni.linux-" + machine + ".so")) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path jarOf(Class<?> type) {
        try {
            return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
