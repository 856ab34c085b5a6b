package lockstep.cli.cloud;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.UUID;

/**
 * A certificate for localhost and the authority that signed it. The authority's private key is thrown away once it has signed, so
 * nobody can ever make a second certificate that those who trust it would accept.
 *
 * @param authority  PEM, for node, python and libpq
 * @param trustStore the same, PKCS12 without a password, for Java
 * @param certificate server certificate, PEM
 * @param key        its private key, PEM
 */
record Certificates(Path authority, Path trustStore, Path certificate, Path key) {

    static Certificates in(Path directory) {
        return new Certificates(directory.resolve("authority.pem"), directory.resolve("authority.p12"),
                directory.resolve("server.pem"), directory.resolve("server.key"));
    }

    /** Makes them unless they are there. The authority is written last, so that a half-made set counts as none. */
    void ensure() {
        if (Files.exists(authority)) {
            return;
        }
        Path directory = authority.getParent();
        Path scratch = directory.resolve("scratch.p12");
        String password = UUID.randomUUID().toString();
        try {
            Files.deleteIfExists(scratch);
            keytool(scratch, password, "authority", "CN=Lockstep local authority", "-ext", "bc:critical=ca:true,pathlen:0", "-ext", "ku:critical=keyCertSign");
            keytool(scratch, password, "server", "CN=localhost", "-signer", "authority",
                    "-ext", "san=dns:localhost,dns:*.localhost,ip:127.0.0.1", "-ext", "eku=serverAuth", "-ext", "ku=digitalSignature");
            var store = KeyStore.getInstance(scratch.toFile(), password.toCharArray());
            var signer = (X509Certificate) store.getCertificate("authority");
            CloudFiles.writePrivately(key, pem("PRIVATE KEY", store.getKey("server", password.toCharArray()).getEncoded()));
            CloudFiles.writePrivately(certificate, pem("CERTIFICATE", store.getCertificate("server").getEncoded()));
            CloudFiles.writePrivately(trustStore, trusting(signer));
            CloudFiles.writePrivately(authority, pem("CERTIFICATE", signer.getEncoded()));
        } catch (IOException | GeneralSecurityException e) {
            throw new CloudFault("cannot make certificates in " + directory + ": " + e.getMessage(), e);
        } finally {
            scratch.toFile().delete();
        }
    }

    private static void keytool(Path store, String password, String alias, String subject, String... options) throws IOException {
        var line = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair",
                "-keystore", store.toString(), "-storetype", "PKCS12", "-storepass:env", "STORE_PASSWORD", "-alias", alias, "-dname", subject,
                "-keyalg", "EC", "-groupname", "secp256r1", "-validity", "3650"));
        line.addAll(List.of(options));
        var builder = new ProcessBuilder(line).redirectErrorStream(true);
        builder.environment().put("STORE_PASSWORD", password);
        var process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (process.waitFor() != 0) {
                throw new CloudFault("keytool failed: " + said.strip());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CloudFault("keytool was interrupted", e);
        }
    }

    private static byte[] trusting(X509Certificate authority) throws IOException, GeneralSecurityException {
        var store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setCertificateEntry("lockstep", authority);
        var bytes = new java.io.ByteArrayOutputStream();
        // Without a password there is no encryption and no MAC: the JVM then opens it by its path alone.
        store.store(bytes, null);
        return bytes.toByteArray();
    }

    private static byte[] pem(String type, byte[] content) {
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
        return ("-----BEGIN " + type + "-----\n" + body + "\n-----END " + type + "-----\n").getBytes(StandardCharsets.US_ASCII);
    }
}
