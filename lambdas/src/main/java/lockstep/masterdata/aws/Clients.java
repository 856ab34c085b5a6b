package lockstep.masterdata.aws;

import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.postgres.PostgresDatabase;
import lockstep.masterdata.engine.postgres.PostgresDatabase.Login;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;
import tools.jackson.databind.DeserializationFeature;

/** AWS as a function's execution role reaches it. A client is made when first asked for and kept while the function is warm. */
public final class Clients {
    private Clients() {}

    /** One for all, whatever role they act as: connections are kept between clients and invocations, and what is trusted is read once. */
    public static final class Http {
        public static final SdkHttpClient CLIENT = Apache5HttpClient.create();

        private Http() {}
    }

    private static final class S3 {
        static final S3Client CLIENT = S3Client.builder().httpClient(Http.CLIENT).build();
    }

    private static final class Kms {
        static final KmsClient CLIENT = KmsClient.builder().httpClient(Http.CLIENT).build();
    }

    private static final class Secrets {
        static final SecretsManagerClient CLIENT = SecretsManagerClient.builder().httpClient(Http.CLIENT).build();
    }

    /** The bucket of a source, for functions of the source's account. */
    public static S3PartStore store(String bucket) {
        return new S3PartStore(S3.CLIENT, bucket);
    }

    /** The same, to list and delete what lies there. */
    public static S3Shelf shelf(String bucket) {
        return new S3Shelf(S3.CLIENT, bucket);
    }

    public static KmsSignature signature(String keyArn) {
        return new KmsSignature(Kms.CLIENT, keyArn);
    }

    /** The database and login that a secret tells of. */
    public static PostgresDatabase database(String secretArn) {
        return new PostgresDatabase(login(secretArn));
    }

    public static Login login(String secretArn) {
        try {
            String secret = Secrets.CLIENT.getSecretValue(r -> r.secretId(secretArn)).secretString();
            return Json.MAPPER.readerFor(Login.class).without(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).readValue(secret);
        } catch (SdkException e) {
            String message = "secret " + secretArn + " can't be read: " + e.getMessage();
            // no login, no database
            throw Transient.is(e) ? new Fault.DatabaseUnavailable(message, e) : new Fault.AccessRefused(message, e);
        }
    }
}
