package lockstep.masterdata.aws;

import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.exception.SdkServiceException;

/** Decides which AWS failures can be retried later, after the SDK's own retries. */
final class Transient {
    private Transient() {}

    /** Reports whether the service can't be reached, has an internal error, or throttles requests. Other errors are final. */
    static boolean is(SdkException e) {
        return e instanceof SdkClientException
                || e instanceof SdkServiceException answer && (answer.statusCode() >= 500 || answer.isThrottlingException());
    }
}
