package lockstep.masterdata.aws;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.ManifestReader;
import lockstep.masterdata.engine.dump.Sealer;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.kms.model.KmsInvalidSignatureException;
import software.amazon.awssdk.services.kms.model.MessageType;
import software.amazon.awssdk.services.kms.model.SigningAlgorithmSpec;

/** Signs and verifies with ECDSA over SHA-256 and a key that never leaves KMS. */
public record KmsSignature(KmsClient kms, String keyArn) implements Sealer.Signer, ManifestReader.Verifier {
    @Override
    public byte[] sign(byte[] bytes) {
        try {
            return kms.sign(r -> r.keyId(keyArn).messageType(MessageType.DIGEST).signingAlgorithm(SigningAlgorithmSpec.ECDSA_SHA_256)
                    .message(SdkBytes.fromByteArray(sha256(bytes)))).signature().asByteArray();
        } catch (SdkException e) {
            throw fault("sign", e);
        }
    }

    @Override
    public boolean verify(byte[] bytes, byte[] signature) {
        try {
            return kms.verify(r -> r.keyId(keyArn).messageType(MessageType.DIGEST).signingAlgorithm(SigningAlgorithmSpec.ECDSA_SHA_256)
                    .message(SdkBytes.fromByteArray(sha256(bytes))).signature(SdkBytes.fromByteArray(signature))).signatureValid();
        } catch (KmsInvalidSignatureException e) {
            return false;
        } catch (SdkException e) {
            throw fault("verify", e);
        }
    }

    private Fault fault(String what, SdkException e) {
        String message = "key " + keyArn + " did not " + what + ": " + e.getMessage();
        return Transient.is(e) ? new Fault.StoreUnavailable(message, e) : new Fault.AccessRefused(message, e);
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
