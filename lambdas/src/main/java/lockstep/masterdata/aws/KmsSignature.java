package lockstep.masterdata.aws;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import lockstep.masterdata.engine.ManifestReader;
import lockstep.masterdata.engine.Sealer;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.kms.model.KmsInvalidSignatureException;
import software.amazon.awssdk.services.kms.model.MessageType;
import software.amazon.awssdk.services.kms.model.SigningAlgorithmSpec;

/** ECDSA over SHA-256 with a key that never leaves KMS. */
public record KmsSignature(KmsClient kms, String keyArn) implements Sealer.Signer, ManifestReader.Verifier {
    @Override
    public byte[] sign(byte[] bytes) {
        return kms.sign(r -> r.keyId(keyArn).messageType(MessageType.DIGEST).signingAlgorithm(SigningAlgorithmSpec.ECDSA_SHA_256)
                .message(SdkBytes.fromByteArray(sha256(bytes)))).signature().asByteArray();
    }

    @Override
    public boolean verify(byte[] bytes, byte[] signature) {
        try {
            return kms.verify(r -> r.keyId(keyArn).messageType(MessageType.DIGEST).signingAlgorithm(SigningAlgorithmSpec.ECDSA_SHA_256)
                    .message(SdkBytes.fromByteArray(sha256(bytes))).signature(SdkBytes.fromByteArray(signature))).signatureValid();
        } catch (KmsInvalidSignatureException e) {
            return false;
        }
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
