package lockstep.cli.aws;

import java.net.URI;
import java.nio.file.Path;
import java.util.regex.Pattern;

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
}
