package lockstep.cli.cloud;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.api.client.AWSLambda;
import com.amazonaws.services.lambda.runtime.serialization.PojoSerializer;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** How a Java function is started on this machine: by AWS's own runtime interface client, on the JDK that runs this. */
final class JavaFunctions {
    private JavaFunctions() {}

    /** A shell script, since the emulator starts a file named {@code bootstrap}. The heap is bounded by the function's own JAVA_TOOL_OPTIONS. */
    static String bootstrap(Certificates certificates) {
        String client = Stream.of(AWSLambda.class, Context.class, PojoSerializer.class).map(JavaFunctions::jarOf).map(Path::toString)
                .collect(Collectors.joining(":"));
        return """
                #!/bin/sh
                exec '%s/bin/java' \\
                    -Djavax.net.ssl.trustStore='%s' -Djavax.net.ssl.trustStoreType=PKCS12 --enable-native-access=ALL-UNNAMED \\
                    -cp '%s' com.amazonaws.services.lambda.runtime.api.client.AWSLambda "$_HANDLER"
                """.formatted(System.getProperty("java.home"), certificates.trustStore(), client);
    }

    private static Path jarOf(Class<?> type) {
        try {
            return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
