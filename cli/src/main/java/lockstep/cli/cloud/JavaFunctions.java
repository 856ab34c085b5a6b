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

    /** A shell script, since the emulator starts a file named {@code bootstrap}. AWS gives the heap its share of the memory, so does this. */
    static String bootstrap(Certificates certificates) {
        String client = Stream.of(AWSLambda.class, Context.class, PojoSerializer.class).map(JavaFunctions::jarOf).map(Path::toString)
                .collect(Collectors.joining(":"));
        return """
                #!/bin/sh
                exec '%s/bin/java' -Xmx"$((AWS_LAMBDA_FUNCTION_MEMORY_SIZE * 3 / 4))m" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \\
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
