package lockstep.localcloud;

import java.io.IOException;
import java.io.StringWriter;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Map;
import javax.security.auth.x500.X500Principal;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.CRLNumber;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.GeneralSubtree;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.NameConstraints;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.jcajce.JcaX509CRLConverter;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v2CRLBuilder;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** A local certificate authority. Its key is stored in one file that only the owner can read. */
final class Authority {
    static final Duration VALIDITY = Duration.ofDays(3650);
    /** Certificates are renewed this long before they expire. */
    static final Duration NEAR_EXPIRY = Duration.ofDays(30);
    private static final SecureRandom RANDOM = new SecureRandom();
    private final X509Certificate certificate;
    private final PrivateKey key;

    /**
     * The kind of certificates that an authority signs. A server authority is limited to the names and addresses of this machine, so that
     * it is safe to trust.
     */
    enum Kind {
        SERVERS(KeyPurposeId.id_kp_serverAuth), CLIENTS(KeyPurposeId.id_kp_clientAuth);

        private final KeyPurposeId purpose;

        Kind(KeyPurposeId purpose) {
            this.purpose = purpose;
        }
    }

    record Issued(X509Certificate certificate, PrivateKey key) {}

    private Authority(X509Certificate certificate, PrivateKey key) {
        this.certificate = certificate;
        this.key = key;
    }

    /** @throws UserFault if the files do not contain a certificate and a key */
    static Authority read(Path certificateFile, Path keyFile) {
        return new Authority(certificate(certificateFile), key(keyFile));
    }

    static Authority create(String name, Kind kind) {
        try {
            KeyPair pair = pair();
            var subject = new X500Principal("CN=" + name);
            var builder = builder(subject, pair, subject, VALIDITY)
                    .addExtension(Extension.basicConstraints, true, new BasicConstraints(0))
                    .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign))
                    .addExtension(Extension.subjectKeyIdentifier, false,
                            new JcaX509ExtensionUtils().createSubjectKeyIdentifier(pair.getPublic()))
                    .addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(kind.purpose));
            if (kind == Kind.SERVERS) {
                builder.addExtension(Extension.nameConstraints, true, new NameConstraints(new GeneralSubtree[]{
                        new GeneralSubtree(new GeneralName(GeneralName.dNSName, "localhost")),
                        new GeneralSubtree(new GeneralName(GeneralName.iPAddress, "127.0.0.1/32"))}, null));
            }
            return new Authority(signed(builder, pair.getPrivate()), pair.getPrivate());
        } catch (GeneralSecurityException | IOException | OperatorCreationException e) {
            throw new UserFault("cannot create the authority '" + name + "': " + e.getMessage(), e);
        }
    }

    /** @param names the DNS names and IPv4 addresses; empty for a client */
    Issued issue(X500Principal subject, Kind kind, List<String> names, Duration validity) {
        try {
            KeyPair pair = pair();
            var extensions = new JcaX509ExtensionUtils();
            var builder = builder(certificate.getSubjectX500Principal(), pair, subject, validity)
                    .addExtension(Extension.basicConstraints, true, new BasicConstraints(false))
                    .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature))
                    .addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(kind.purpose))
                    .addExtension(Extension.subjectKeyIdentifier, false, extensions.createSubjectKeyIdentifier(pair.getPublic()))
                    .addExtension(Extension.authorityKeyIdentifier, false, extensions.createAuthorityKeyIdentifier(certificate));
            if (!names.isEmpty()) {
                builder.addExtension(Extension.subjectAlternativeName, false,
                        new GeneralNames(names.stream()
                                .map(name -> new GeneralName(name.matches("[\\d.]+") ? GeneralName.iPAddress : GeneralName.dNSName, name))
                                .toArray(GeneralName[]::new)));
            }
            return new Issued(signed(builder, key), pair.getPrivate());
        } catch (GeneralSecurityException | IOException | OperatorCreationException e) {
            throw new UserFault("cannot issue a certificate for " + subject + ": " + e.getMessage(), e);
        }
    }

    /**
     * Signs a revocation list.
     *
     * @param revoked the revocation time by serial number
     */
    X509CRL revocationList(BigInteger number, Map<BigInteger, Instant> revoked, Duration validity) {
        try {
            Instant now = Instant.now();
            var builder = new JcaX509v2CRLBuilder(certificate.getSubjectX500Principal(), Date.from(now));
            builder.setNextUpdate(Date.from(now.plus(validity)));
            builder.addExtension(Extension.cRLNumber, false, new CRLNumber(number));
            builder.addExtension(Extension.authorityKeyIdentifier, false,
                    new JcaX509ExtensionUtils().createAuthorityKeyIdentifier(certificate));
            revoked.forEach((serial, since) -> builder.addCRLEntry(serial, Date.from(since), CRLReason.unspecified));
            return new JcaX509CRLConverter().getCRL(builder.build(signer(key)));
        } catch (GeneralSecurityException | IOException | OperatorCreationException e) {
            throw new UserFault("cannot sign the revocation list: " + e.getMessage(), e);
        }
    }

    X509Certificate certificate() {
        return certificate;
    }

    /** Writes the key, then the certificate, so that an incomplete pair has no certificate. */
    void write(Path certificateFile, Path keyFile) {
        ProjectFiles.writePrivately(keyFile, pem(key));
        ProjectFiles.writePrivately(certificateFile, pem(certificate));
    }

    boolean signed(X509Certificate other) {
        try {
            other.verify(certificate.getPublicKey());
            return true;
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    static boolean nearExpiry(X509Certificate certificate) {
        return certificate.getNotAfter().toInstant().isBefore(Instant.now().plus(NEAR_EXPIRY));
    }

    static X509Certificate certificate(Path file) {
        try (var in = Files.newInputStream(file)) {
            return (X509Certificate) java.security.cert.CertificateFactory.getInstance("X.509").generateCertificate(in);
        } catch (IOException | GeneralSecurityException e) {
            throw new UserFault("cannot read the certificate " + file + ": " + e.getMessage(), e);
        }
    }

    static PrivateKey key(Path file) {
        try (var parser = new PEMParser(Files.newBufferedReader(file))) {
            var converter = new JcaPEMKeyConverter();
            return switch (parser.readObject()) {
                case PEMKeyPair pair -> converter.getPrivateKey(pair.getPrivateKeyInfo());
                case org.bouncycastle.asn1.pkcs.PrivateKeyInfo info -> converter.getPrivateKey(info);
                case null, default -> throw new UserFault(file + " contains no private key");
            };
        } catch (IOException e) {
            throw new UserFault("cannot read the key " + file + ": " + e.getMessage(), e);
        }
    }

    /** Encodes a certificate, a revocation list or a private key as PEM; a key is written as PKCS #8. */
    static byte[] pem(Object object) {
        var text = new StringWriter();
        try (var writer = new JcaPEMWriter(text)) {
            writer.writeObject(
                    object instanceof PrivateKey key ? new org.bouncycastle.openssl.jcajce.JcaPKCS8Generator(key, null) : object);
        } catch (IOException e) {
            throw new UserFault("cannot write PEM: " + e.getMessage(), e);
        }
        return text.toString().getBytes(StandardCharsets.US_ASCII);
    }

    private static JcaX509v3CertificateBuilder builder(X500Principal issuer, KeyPair pair, X500Principal subject, Duration validity) {
        // it must stay valid if the clock is set back
        Instant from = Instant.now().minus(Duration.ofHours(1));
        return new JcaX509v3CertificateBuilder(issuer, serial(), Date.from(from), Date.from(from.plus(validity)), subject,
                pair.getPublic());
    }

    /** Returns a random serial number as required by RFC 5280: positive and at most 20 bytes. */
    private static BigInteger serial() {
        byte[] bytes = new byte[16];
        RANDOM.nextBytes(bytes);
        bytes[0] = (byte) (bytes[0] & 0x7f | 0x40);
        return new BigInteger(bytes);
    }

    private static KeyPair pair() throws GeneralSecurityException {
        var generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        return generator.generateKeyPair();
    }

    private static X509Certificate signed(org.bouncycastle.cert.X509v3CertificateBuilder builder, PrivateKey key)
            throws GeneralSecurityException, CertIOException, OperatorCreationException {
        return new JcaX509CertificateConverter().getCertificate(builder.build(signer(key)));
    }

    private static ContentSigner signer(PrivateKey key) throws OperatorCreationException {
        return new JcaContentSignerBuilder("SHA256withECDSA").build(key);
    }
}
