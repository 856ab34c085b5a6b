package lockstep.masterdata.aws;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.services.kms.model.KmsException;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.secretsmanager.model.SecretsManagerException;
import software.amazon.awssdk.services.sts.model.StsException;

class TransientTest {
    @Test
    void whatMayPass() {
        assertTrue(Transient.is(SdkClientException.create("no route")));
        assertTrue(Transient.is(S3Exception.builder().statusCode(503).build()));
        assertTrue(Transient.is(KmsException.builder().statusCode(400).awsErrorDetails(code("ThrottlingException")).build()));
    }

    /** KMS and Secrets Manager deny access with status 400, STS and S3 with 403. */
    @Test
    void aRefusalStays() {
        assertFalse(Transient.is(SecretsManagerException.builder().statusCode(400).awsErrorDetails(code("AccessDeniedException")).build()));
        assertFalse(Transient.is(StsException.builder().statusCode(403).awsErrorDetails(code("AccessDenied")).build()));
    }

    private static AwsErrorDetails code(String code) {
        return AwsErrorDetails.builder().errorCode(code).build();
    }
}
