package lockstep.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.List;

/** Signs manifests like the deployed key, with a key pair in a file, because dump and restore are different processes. */
final class Keys {
    private static final String ALGORITHM = "SHA256withECDSA";
    private final java.security.PrivateKey privateKey;
    private final PublicKey publicKey;

    private Keys(byte[] privateBytes, byte[] publicBytes) throws GeneralSecurityException {
        KeyFactory factory = KeyFactory.getInstance("EC");
        privateKey = factory.generatePrivate(new PKCS8EncodedKeySpec(privateBytes));
        publicKey = factory.generatePublic(new X509EncodedKeySpec(publicBytes));
    }

    /** Reads the key pair, or creates it on first use. */
    static Keys of(Path file) {
        try {
            if (!Files.exists(file)) {
                var pair = KeyPairGenerator.getInstance("EC").generateKeyPair();
                var base64 = Base64.getEncoder();
                Files.createDirectories(file.getParent());
                Files.write(file, List.of(base64.encodeToString(pair.getPrivate().getEncoded()),
                        base64.encodeToString(pair.getPublic().getEncoded())));
            }
            var lines = Files.readAllLines(file);
            return new Keys(Base64.getDecoder().decode(lines.get(0)), Base64.getDecoder().decode(lines.get(1)));
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException("no keys in " + file, e);
        }
    }

    byte[] sign(byte[] bytes) {
        try {
            Signature signature = Signature.getInstance(ALGORITHM);
            signature.initSign(privateKey);
            signature.update(bytes);
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    boolean verify(byte[] bytes, byte[] signed) {
        try {
            Signature signature = Signature.getInstance(ALGORITHM);
            signature.initVerify(publicKey);
            signature.update(bytes);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }
}
