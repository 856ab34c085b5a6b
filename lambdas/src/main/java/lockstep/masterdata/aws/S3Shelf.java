package lockstep.masterdata.aws;

import java.util.List;
import lockstep.masterdata.engine.parts.Retention;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;

/** A versioned S3 bucket. Deleting a version leaves no marker: a part that was put again meanwhile is not hidden. */
public record S3Shelf(S3Client s3, String bucket) implements Retention.Shelf {
    @Override
    public List<Lying> list(String prefix) {
        try {
            return s3.listObjectVersionsPaginator(r -> r.bucket(bucket).prefix(prefix)).versions().stream()
                    .filter(v -> v.isLatest()).map(v -> new Lying(v.key(), v.versionId(), v.lastModified())).toList();
        } catch (SdkException e) {
            throw S3PartStore.fault("listing", bucket, prefix, e);
        }
    }

    @Override
    public void delete(Lying object) {
        try {
            s3.deleteObject(r -> r.bucket(bucket).key(object.key()).versionId(object.version()));
        } catch (SdkException e) {
            throw S3PartStore.fault("deleting", bucket, object.key(), e);
        }
    }
}
