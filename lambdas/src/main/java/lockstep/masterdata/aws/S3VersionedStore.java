package lockstep.masterdata.aws;

import java.util.List;
import lockstep.masterdata.engine.parts.Retention;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;

/** A versioned S3 bucket. Deleting a version creates no delete marker, so that a version written meanwhile stays visible. */
public record S3VersionedStore(S3Client s3, String bucket) implements Retention.VersionedStore {
    @Override
    public List<ObjectVersion> list(String prefix) {
        try {
            return s3.listObjectVersionsPaginator(r -> r.bucket(bucket).prefix(prefix)).versions().stream()
                    .filter(v -> v.isLatest()).map(v -> new ObjectVersion(v.key(), v.versionId(), v.lastModified())).toList();
        } catch (SdkException e) {
            throw S3PartStore.fault("listing", bucket, prefix, e);
        }
    }

    @Override
    public void delete(ObjectVersion object) {
        try {
            s3.deleteObject(r -> r.bucket(bucket).key(object.key()).versionId(object.version()));
        } catch (SdkException e) {
            throw S3PartStore.fault("deleting", bucket, object.key(), e);
        }
    }
}
