package lockstep.accounts;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.regex.Pattern;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/**
 * The address of the local cloud. Everything local goes through it, and it can be no address but this machine's: a name other than
 * {@code localhost} is refused even when it resolves to loopback, since the next look-up may answer otherwise.
 *
 * @param uri         {@code https://localhost:PORT}
 * @param authority   certificate of the local authority, PEM
 * @param trustStore  the same certificate, PKCS12, for Java
 */
public record LocalEndpoint(URI uri, Path authority, Path trustStore) {
    private static final Pattern LOOPBACK = Pattern.compile("localhost|127(\\.\\d{1,3}){3}|\\[::1\\]");

    public LocalEndpoint {
        if (!"https".equals(uri.getScheme()) || uri.getHost() == null || !LOOPBACK.matcher(uri.getHost()).matches()
                || uri.getPort() < 1 || uri.getUserInfo() != null) {
            throw new IllegalArgumentException("refused: local mode speaks to this machine only, as https://localhost:PORT, not to " + uri);
        }
    }

    /** For TLS: whoever the local authority signed for, and nobody else. */
    public TrustManager[] trust() {
        try (var in = Files.newInputStream(trustStore)) {
            var store = KeyStore.getInstance("PKCS12");
            store.load(in, null);
            var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(store);
            return factory.getTrustManagers();
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException("cannot read the trust store " + trustStore, e);
        }
    }
}
