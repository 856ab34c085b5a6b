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
 * The address of the local cloud. All local requests use it, and it must be an address of this machine. A name other than
 * {@code localhost} is refused even if it resolves to loopback, because the next lookup may return another address.
 *
 * @param uri         {@code https://localhost:PORT}
 * @param authority   the certificate of the local CA, PEM
 * @param trustStore  the same certificate in PKCS12 for Java
 */
public record LocalEndpoint(URI uri, Path authority, Path trustStore) {
    private static final Pattern LOOPBACK = Pattern.compile("localhost|127(\\.\\d{1,3}){3}|\\[::1\\]");

    public LocalEndpoint {
        if (!"https".equals(uri.getScheme()) || uri.getHost() == null || !LOOPBACK.matcher(uri.getHost()).matches()
                || uri.getPort() < 1 || uri.getUserInfo() != null) {
            throw new IllegalArgumentException("the local cloud is on this machine: expected https://localhost:PORT, not " + uri);
        }
    }

    /** Returns TLS trust managers that accept only certificates of the local CA. */
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
