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

/** AWS clients with the function's execution role. Each is created on first use and kept while the function is warm. */
public final class Clients {
    private Clients() {}

    /**
     * The HTTP client of all AWS clients, whatever their role: connections are reused across clients and invocations, and the trust store
     * is loaded once.
     */
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

    /** Returns the part store in a source's bucket, for functions of the source's account. */
    public static S3PartStore store(String bucket) {
        return new S3PartStore(S3.CLIENT, bucket);
    }

    /** Returns the same bucket for listing and deleting objects. */
    public static S3VersionedStore versionedStore(String bucket) {
        return new S3VersionedStore(S3.CLIENT, bucket);
    }

    public static KmsSignature signature(String keyArn) {
        return new KmsSignature(Kms.CLIENT, keyArn);
    }

    /** Returns the database and login that a secret describes. */
    public static PostgresDatabase database(String secretArn) {
        return new PostgresDatabase(login(secretArn));
    }

    public static Login login(String secretArn) {
        return read(secretArn, Login.class);
    }

    /** The secret of an administrator. For an existing database it names the secret of the user and password, as those of RDS do. */
    private record Administrator(String masterarn) {}

    private record Credentials(String username, String password) {}

    /** Returns the login of a shard's administrator. */
    public static Login administrator(String secretArn) {
        var login = login(secretArn);
        String master = read(secretArn, Administrator.class).masterarn();
        if (master == null) return login;
        var credentials = read(master, Credentials.class);
        return new Login(login.host(), login.port(), login.dbname(), credentials.username(), credentials.password(), login.sslmode(),
                login.sslrootcert());
    }

    private static <T> T read(String secretArn, Class<T> type) {
        try {
            String secret = Secrets.CLIENT.getSecretValue(r -> r.secretId(secretArn)).secretString();
            return Json.MAPPER.readerFor(type).without(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).readValue(secret);
        } catch (SdkException e) {
            String message = "secret " + secretArn + " can't be read: " + e.getMessage();
            // without the login the database can't be reached
            throw Transient.is(e) ? new Fault.DatabaseUnavailable(message, e) : new Fault.AccessRefused(message, e);
        }
    }
}
