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
 * The authority for the servers of the local cloud, and its certificates. It is limited to localhost, its subdomains and 127.0.0.1, so that
 * trusting it in a browser is safe. Clients have a separate authority, which no browser needs to trust.
 */
public final class Certificates {
    /** The longest validity that browsers accept. */
    private static final Duration SERVER_VALIDITY = Duration.ofDays(397);
    private final Path directory;

    private Certificates(Path directory) {
        this.directory = directory;
    }

    public static Certificates in(Path directory) {
        return new Certificates(directory);
    }

    /** The certificate as PEM for browsers, curl, Node.js, Python and libpq. */
    public Path authority() {
        return directory.resolve("authority.pem");
    }

    /** The same certificate as PKCS #12 without a password, for Java. */
    Path trustStore() {
        return directory.resolve("authority.p12");
    }

    /** The certificate of the emulator and the databases, PEM. */
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
     * Creates the certificates, unless they exist and do not expire soon.
     *
     * @return whether the authority was created; processes with its old certificates must then be restarted
     */
    public boolean ensure() {
        clients().ensure();
        // the authority's certificate is written last
        if (Files.exists(authority()) && Files.exists(authorityKey()) && !Authority.nearExpiry(Authority.certificate(authority()))) {
            return false;
        }
        var made = Authority.create("Lockstep local authority", Authority.Kind.SERVERS);
        var server = made.issue(new X500Principal("CN=localhost"), Authority.Kind.SERVERS, List.of("localhost", "*.localhost", "127.0.0.1"),
                Authority.VALIDITY.minusDays(1));
        ProjectFiles.writePrivately(key(), Authority.pem(server.key()));
        ProjectFiles.writePrivately(certificate(), Authority.pem(server.certificate()));
        ProjectFiles.writePrivately(trustStore(), trusting(made.certificate()));
        made.write(authority(), authorityKey());
        return true;
    }

    /** A certificate without that of the authority, and its private key, both PEM. */
    record Server(String certificate, String key) {}

    /** Returns the certificate of a proxy. It is reissued if the names changed or it expires soon. */
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
            // without a password there is no encryption and no MAC, so the JVM needs only its path
            store.store(bytes, null);
            return bytes.toByteArray();
        } catch (IOException | GeneralSecurityException e) {
            throw new UserFault("cannot write the trust store: " + e.getMessage(), e);
        }
    }
}
