package lockstep.bench;

import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;

/** Signs manifests like the deployed key, with a key pair in a file, because dump and restore are different processes. */
record Keys(KeyPair pair) {
    private static final String ALGORITHM = "SHA256withECDSA";

    /** Reads the key pair, or creates it on first use. */
    static Keys of(Path file) {
        try {
            if (!Files.exists(file)) {
                Files.createDirectories(file.getParent());
                try (var out = new ObjectOutputStream(Files.newOutputStream(file))) {
                    out.writeObject(KeyPairGenerator.getInstance("EC").generateKeyPair());
                }
            }
            try (var in = new ObjectInputStream(Files.newInputStream(file))) {
                return new Keys((KeyPair) in.readObject());
            }
        } catch (IOException | GeneralSecurityException | ClassNotFoundException e) {
            throw new IllegalStateException("no keys in " + file, e);
        }
    }

    byte[] sign(byte[] bytes) {
        try {
            Signature signature = Signature.getInstance(ALGORITHM);
            signature.initSign(pair.getPrivate());
            signature.update(bytes);
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    boolean verify(byte[] bytes, byte[] signed) {
        try {
            Signature signature = Signature.getInstance(ALGORITHM);
            signature.initVerify(pair.getPublic());
            signature.update(bytes);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }
}
