package lockstep.cli.cloud;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.api.client.AWSLambda;
import com.amazonaws.services.lambda.runtime.serialization.PojoSerializer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import software.amazon.awssdk.utilslite.SdkInternalThreadLocal;

/** How a Java function is started on this machine: by AWS's own runtime interface client, on the JDK that runs this. */
final class JavaFunctions {
    private static final String NATIVE_LIBRARY = "libaws-lambda-jni.so";

    private JavaFunctions() {}

    /** What a function's archive needs besides its jar, by path. */
    static Map<String, byte[]> runtime(Certificates certificates) {
        return Map.of("bootstrap", bootstrap(certificates).getBytes(StandardCharsets.UTF_8), NATIVE_LIBRARY, nativeLibrary());
    }

    /**
     * A shell script, since the emulator starts a file named {@code bootstrap}. Heap and the like come with the function's JAVA_TOOL_OPTIONS.
     * The native library is named, or else every process would unpack it over the one in /tmp that others have mapped, and crash them.
     */
    private static String bootstrap(Certificates certificates) {
        String client = Stream.of(AWSLambda.class, Context.class, PojoSerializer.class, SdkInternalThreadLocal.class).map(JavaFunctions::jarOf).map(Path::toString)
                .collect(Collectors.joining(":"));
        return """
                #!/bin/sh
                exec '%s/bin/java' -Djavax.net.ssl.trustStore='%s' -Djavax.net.ssl.trustStoreType=PKCS12 \\
                    -Dcom.amazonaws.services.lambda.runtime.api.client.runtimeapi.NativeClient.JNI="$LAMBDA_TASK_ROOT/%s" \\
                    --enable-native-access=ALL-UNNAMED -cp '%s' com.amazonaws.services.lambda.runtime.api.client.AWSLambda "$_HANDLER"
                """.formatted(System.getProperty("java.home"), certificates.trustStore(), NATIVE_LIBRARY, client);
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
