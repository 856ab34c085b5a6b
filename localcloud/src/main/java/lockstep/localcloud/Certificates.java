package lockstep.localcloud;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.TreeSet;
import javax.security.auth.x500.X500Principal;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;

/**
 * The authority that signs for this machine's servers, and what it signed. It can vouch for localhost, names below it and 127.0.0.1
 * only: whoever trusts it in a browser risks nothing. Clients have an authority of their own, which no browser is to trust.
 */
public final class Certificates {
    /** Browsers accept no longer one. */
    private static final Duration SERVER_VALIDITY = Duration.ofDays(397);
    private final Path directory;

    private Certificates(Path directory) {
        this.directory = directory;
    }

    public static Certificates in(Path directory) {
        return new Certificates(directory);
    }

    /** PEM, for browsers, curl, node, python and libpq. */
    public Path authority() {
        return directory.resolve("authority.pem");
    }

    /** The same, PKCS #12 without a password, for Java. */
    Path trustStore() {
        return directory.resolve("authority.p12");
    }

    /** Of the emulator and the databases, PEM. */
    Path certificate() {
        return directory.resolve("server.pem");
    }

    Path key() {
        return directory.resolve("server.key");
    }

    private Path authorityKey() {
        return directory.resolve("authority.key");
    }

    ClientCertificates clients() {
        return new ClientCertificates(directory.resolve("clients"));
    }

    /**
     * Makes them unless they are there and last.
     *
     * @return whether they were made: what runs with the old ones must be started anew
     */
    public boolean ensure() {
        clients().ensure();
        // the authority's certificate is written last
        if (Files.exists(authority()) && Files.exists(authorityKey()) && !Authority.nearExpiry(Authority.certificate(authority()))) {
            return false;
        }
        var made = Authority.create("Lockstep local authority", Authority.Kind.SERVERS);
        var server = made.issue(new X500Principal("CN=localhost"), Authority.Kind.SERVERS, List.of("localhost", "*.localhost", "127.0.0.1"), Authority.VALIDITY.minusDays(1));
        ProjectFiles.writePrivately(key(), Authority.pem(server.key()));
        ProjectFiles.writePrivately(certificate(), Authority.pem(server.certificate()));
        ProjectFiles.writePrivately(trustStore(), trusting(made.certificate()));
        made.write(authority(), authorityKey());
        return true;
    }

    /** Certificate, without the authority's, and private key, both PEM. */
    record Server(String certificate, String key) {}

    /** That of a proxy: the one that was issued for the same names before, unless it ends soon. */
    Server server(String proxy, List<String> names) {
        Path certificateFile = directory.resolve("servers").resolve(proxy + ".pem");
        Path keyFile = directory.resolve("servers").resolve(proxy + ".key");
        var signer = Authority.read(authority(), authorityKey());
        try {
            if (!Files.exists(certificateFile) || !fits(signer, Authority.certificate(certificateFile), names)) {
                Files.createDirectories(certificateFile.getParent());
                var issued = signer.issue(new X500Principal("CN=" + names.getFirst()), Authority.Kind.SERVERS, names, SERVER_VALIDITY);
                ProjectFiles.writePrivately(keyFile, Authority.pem(issued.key()));
                ProjectFiles.writePrivately(certificateFile, Authority.pem(issued.certificate()));
            }
            return new Server(Files.readString(certificateFile), Files.readString(keyFile));
        } catch (IOException e) {
            throw new UserFault("cannot write the certificate of " + proxy + ": " + e.getMessage(), e);
        }
    }

    private static boolean fits(Authority signer, X509Certificate certificate, List<String> names) {
        try {
            var known = new TreeSet<String>();
            certificate.getSubjectAlternativeNames().forEach(name -> known.add(name.get(1).toString()));
            return signer.signed(certificate) && !Authority.nearExpiry(certificate) && known.equals(new TreeSet<>(names));
        } catch (CertificateParsingException e) {
            return false;
        }
    }

    private static byte[] trusting(X509Certificate authority) {
        try {
            var store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            store.setCertificateEntry("lockstep", authority);
            var bytes = new ByteArrayOutputStream();
            // Without a password there is no encryption and no MAC: the JVM then opens it by its path alone.
            store.store(bytes, null);
            return bytes.toByteArray();
        } catch (IOException | GeneralSecurityException e) {
            throw new UserFault("cannot write the trust store: " + e.getMessage(), e);
        }
    }
}
