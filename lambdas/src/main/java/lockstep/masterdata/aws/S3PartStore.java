package lockstep.masterdata.aws;

import java.io.InputStream;
import java.util.Optional;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.PartStore;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ChecksumAlgorithm;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** A part store in an S3 bucket. A request that still fails after the SDK's own retries is a fault. */
public record S3PartStore(S3Client s3, String bucket) implements PartStore {
    @Override
    public void put(String key, byte[] bytes, int length) {
        try {
            // S3 verifies the received bytes against the checksum and stores it with the object
            s3.putObject(r -> r.bucket(bucket).key(key).checksumAlgorithm(ChecksumAlgorithm.SHA256), RequestBody.fromContentProvider(
                    () -> new java.io.ByteArrayInputStream(bytes, 0, length), length, "application/octet-stream"));
        } catch (SdkException e) {
            throw fault("writing", bucket, key, e);
        }
    }

    @Override
    public Optional<InputStream> open(String key) {
        try {
            return Optional.of(s3.getObject(r -> r.bucket(bucket).key(key)));
        } catch (NoSuchKeyException e) {
            return Optional.empty();
        } catch (SdkException e) {
            throw fault("reading", bucket, key, e);
        }
    }

    static Fault fault(String what, String bucket, String key, SdkException e) {
        String message = what + " s3://" + bucket + "/" + key + ": " + e.getMessage();
        if (Transient.is(e)) return new Fault.StoreUnavailable(message, e);
        return e instanceof S3Exception answer && answer.statusCode() == 403
                ? new Fault.AccessRefused(message + " (S3 also reports this for an object that does not exist)", e)
                : new Fault.Unexpected(message, e);
    }
}
