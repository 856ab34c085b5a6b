package lockstep.accounts;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LocalEndpointTest {
    @ParameterizedTest
    @ValueSource(strings = {"https://localhost:4566", "https://127.0.0.1:4566", "https://[::1]:4566"})
    void thisMachineIsAccepted(String uri) {
        assertEquals(URI.create(uri), endpoint(uri).uri());
    }

    @ParameterizedTest
    @ValueSource(strings = {"https://sts.amazonaws.com:443", "https://localhost.example.com:4566", "https://127.0.0.1.example.com:4566",
            "https://0.0.0.0:4566",
            "https://10.0.0.1:4566", "http://localhost:4566", "https://localhost", "https://localhost:4566@example.com:443",
            "https://someone@localhost:4566"})
    void everythingElseIsRefusedBeforeAnythingIsSent(String uri) {
        var refused = assertThrows(IllegalArgumentException.class, () -> endpoint(uri));
        assertTrue(refused.getMessage().contains(uri), refused.getMessage());
    }

    private static LocalEndpoint endpoint(String uri) {
        return new LocalEndpoint(URI.create(uri), Path.of("authority.pem"), Path.of("authority.p12"));
    }
}
