package lockstep.masterdata.aws;

import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.exception.SdkServiceException;

/** Which failures of AWS are worth another try later, when the SDK's own tries are used up. */
final class Transient {
    private Transient() {}

    /** The service can't be reached, is at fault itself, or wants fewer calls. All else is its answer. */
    static boolean is(SdkException e) {
        return e instanceof SdkClientException || e instanceof SdkServiceException answer && (answer.statusCode() >= 500 || answer.isThrottlingException());
    }
}
