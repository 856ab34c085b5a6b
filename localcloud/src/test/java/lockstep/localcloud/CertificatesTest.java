package lockstep.localcloud;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.ASN1OctetString;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CertificatesTest {
    @TempDir private Path directory;
    private Certificates certificates;

    @BeforeEach
    void make() {
        certificates = Certificates.in(directory);
        assertTrue(certificates.ensure());
    }

    @Test
    void whatIsThereIsKeptAndNobodyElseMayReadIt() throws Exception {
        String before = Files.readString(certificates.authority());
        assertFalse(certificates.ensure());
        assertEquals(before, Files.readString(certificates.authority()));
        certificates.server("demo-demo-proxy", List.of("demo-1.localhost", "127.0.0.1"));
        try (var files = Files.walk(directory)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)), file.toString());
            }
        }
    }

    @Test
    void anAuthorityWhoseKeyIsLostIsMadeAnew() throws Exception {
        Files.delete(directory.resolve("authority.key"));
        assertTrue(certificates.ensure());
        assertFalse(certificates.ensure());
    }

    @Test
    void aProxysCertificateIsKeptUntilItsNamesDiffer() {
        var first = certificates.server("demo-demo-proxy", List.of("demo-1.localhost", "127.0.0.1"));
        assertEquals(first, certificates.server("demo-demo-proxy", List.of("127.0.0.1", "demo-1.localhost")));
        var second = certificates.server("demo-demo-proxy", List.of("demo-1.localhost", "demo-2.localhost", "127.0.0.1"));
        assertNotEquals(first, second);
        assertTrue(certificates.server("qa-demo-proxy", List.of("localhost")).certificate().startsWith("-----BEGIN CERTIFICATE-----"));
    }

    /** Performs a TLS handshake like a browser, with the name in the certificate and with another name. */
    @Test
    void aServerIsTrustedForItsOwnNames() throws Exception {
        var authority = Authority.create("test", Authority.Kind.SERVERS);
        var issued = authority.issue(new X500Principal("CN=demo-1.localhost"), Authority.Kind.SERVERS, List.of("demo-1.localhost"),
                Duration.ofDays(1));
        assertTrue(handshake(authority, issued, "demo-1.localhost"));
        assertFalse(handshake(authority, issued, "demo-2.localhost"));
    }

    @Test
    void theAuthorityCanVouchForThisMachineOnly() throws Exception {
        var authority = Authority.create("test", Authority.Kind.SERVERS);
        for (String own : List.of("localhost", "clinic-1.localhost", "127.0.0.1")) {
            var issued = authority.issue(new X500Principal("CN=localhost"), Authority.Kind.SERVERS, List.of(own), Duration.ofDays(1));
            assertDoesNotThrow(() -> validate(authority, issued), own);
        }
        for (String foreign : List.of("example.com", "localhost.example.com", "notlocalhost", "127.0.0.2", "10.0.0.1")) {
            var issued = authority.issue(new X500Principal("CN=localhost"), Authority.Kind.SERVERS, List.of(foreign), Duration.ofDays(1));
            assertThrows(CertPathValidatorException.class, () -> validate(authority, issued), foreign);
        }
    }

    @Test
    void aRevokedClientIsOnTheListAndEachListHasAHigherNumber() throws Exception {
        var clients = certificates.clients();
        var first = clients.find(ClientCertificates.FIRST).orElseThrow();
        assertTrue(first.isValid());
        var issued = clients.issue("tester");
        var before = list(clients);
        assertFalse(before.isRevoked(certificate(clients, "tester")));
        clients.revoke("tester");
        var after = list(clients);
        after.verify(Authority.certificate(clients.authority()).getPublicKey());
        assertTrue(after.isRevoked(certificate(clients, "tester")));
        assertFalse(after.isRevoked(certificate(clients, ClientCertificates.FIRST)));
        assertEquals(number(before) + 1, number(after));
        assertFalse(clients.find("tester").orElseThrow().isValid());
        assertNotEquals(issued.serial(), clients.issue("tester").serial(), "who was revoked may get another one");
        assertEquals(List.of("operator", "tester", "tester"), clients.list().stream().map(ClientCertificates.Client::name).toList());
        assertTrue(list(clients).getRevokedCertificate(new java.math.BigInteger(issued.serial(), 16)) != null,
                "and the first stays revoked");
    }

    @Test
    void aClientsCertificateIsForClientsAloneAndItsStoreOpensWithThePassword() throws Exception {
        var clients = certificates.clients();
        clients.issue("tester");
        var bundle = clients.files("tester");
        assertEquals(List.of("1.3.6.1.5.5.7.3.2"), Authority.certificate(bundle.certificate()).getExtendedKeyUsage());
        var store = KeyStore.getInstance("PKCS12");
        try (var in = Files.newInputStream(bundle.pkcs12())) {
            store.load(in, bundle.password().toCharArray());
        }
        assertEquals(Authority.certificate(bundle.certificate()), store.getCertificate("tester"));
        assertEquals(Authority.key(bundle.key()), store.getKey("tester", bundle.password().toCharArray()));
        assertThrows(java.io.IOException.class, () -> {
            try (var in = Files.newInputStream(bundle.pkcs12())) {
                store.load(in, "another".toCharArray());
            }
        });
    }

    @Test
    void namesThatCannotBeAreRefused() {
        var clients = certificates.clients();
        for (String wrong : List.of("", "../x", "a b", "-x", "x".repeat(49))) {
            assertThrows(IllegalArgumentException.class, () -> clients.issue(wrong), wrong);
        }
        assertThrows(IllegalArgumentException.class, () -> clients.issue(ClientCertificates.FIRST), "it has one");
        assertThrows(IllegalArgumentException.class, () -> clients.revoke("nobody"));
    }

    private static void validate(Authority authority, Authority.Issued issued) throws Exception {
        // unlike browsers, Java ignores name constraints of a trust anchor, so the anchor is only name and key, and the CA certificate is
        // part of the path
        var anchor = new TrustAnchor(authority.certificate().getSubjectX500Principal(), authority.certificate().getPublicKey(), null);
        var parameters = new PKIXParameters(Set.of(anchor));
        parameters.setRevocationEnabled(false);
        CertPathValidator.getInstance("PKIX").validate(
                CertificateFactory.getInstance("X.509").generateCertPath(List.of(issued.certificate(), authority.certificate())),
                parameters);
    }

    private static boolean handshake(Authority authority, Authority.Issued issued, String name) throws Exception {
        var keys = KeyStore.getInstance("PKCS12");
        keys.load(null, null);
        keys.setKeyEntry("server", issued.key(), new char[0], new X509Certificate[]{issued.certificate()});
        var keyManagers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keyManagers.init(keys, new char[0]);
        var serverContext = SSLContext.getInstance("TLS");
        serverContext.init(keyManagers.getKeyManagers(), null, null);
        var trust = KeyStore.getInstance("PKCS12");
        trust.load(null, null);
        trust.setCertificateEntry("authority", authority.certificate());
        var trustManagers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trustManagers.init(trust);
        var clientContext = SSLContext.getInstance("TLS");
        clientContext.init(null, trustManagers.getTrustManagers(), null);
        try (var server = (SSLServerSocket) serverContext.getServerSocketFactory().createServerSocket(0, 1,
                InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual().start(() -> {
                try (var accepted = (SSLSocket) server.accept()) {
                    accepted.startHandshake();
                } catch (java.io.IOException refused) {
                    // the client reports the reason
                }
            });
            try (var plain = new java.net.Socket(InetAddress.getLoopbackAddress(), server.getLocalPort());
                    var client = (SSLSocket) clientContext.getSocketFactory().createSocket(plain, name, server.getLocalPort(), true)) {
                var parameters = client.getSSLParameters();
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                client.setSSLParameters(parameters);
                client.startHandshake();
                return true;
            } catch (SSLHandshakeException refused) {
                return false;
            }
        }
    }

    private static X509Certificate certificate(ClientCertificates clients, String name) {
        return Authority.certificate(clients.files(name).certificate());
    }

    private static X509CRL list(ClientCertificates clients) throws Exception {
        try (var in = Files.newInputStream(clients.revocationList())) {
            return (X509CRL) CertificateFactory.getInstance("X.509").generateCRL(in);
        }
    }

    private static long number(X509CRL list) {
        return org.bouncycastle.asn1.ASN1Integer.getInstance(ASN1OctetString.getInstance(list.getExtensionValue("2.5.29.20")).getOctets())
                .longValueExact();
    }
}
