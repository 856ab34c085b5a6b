package lockstep.masterdata.aws;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.SyncPaths;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.model.Credentials;
import software.amazon.awssdk.services.sts.model.PackedPolicyTooLargeException;

/**
 * A target worker's only access to the source account: the reader role, with a session policy that allows reading only the
 * objects that are needed.
 */
public record SourceReader(String roleArn, String externalId, String bucket, String signingKeyArn) {
    private static final class Sts {
        static final StsClient CLIENT = StsClient.builder().httpClient(Clients.Http.CLIENT).build();
    }

    /** Access for reading and verifying a manifest and its signature. */
    public record ManifestAccess(S3PartStore store, KmsSignature signature) implements AutoCloseable {
        @Override
        public void close() {
            store.s3().close();
            signature.kms().close();
        }
    }

    public ManifestAccess manifest(String syncId, String manifestKey) {
        var session = session(syncId, Stream.of(manifestKey, SyncPaths.signature(manifestKey)).toList(),
                List.of("kms:Decrypt", "kms:Verify"));
        return new ManifestAccess(new S3PartStore(s3(session), bucket),
                new KmsSignature(KmsClient.builder().httpClient(Clients.Http.CLIENT).credentialsProvider(session).build(), signingKeyArn));
    }

    /**
     * Returns a store that can read only these objects.
     *
     * @throws Fault.PolicyTooLarge when the session policy can't name that many
     */
    public S3PartStore objects(String syncId, List<String> keys) {
        return new S3PartStore(s3(session(syncId, keys, List.of("kms:Decrypt"))), bucket);
    }

    private static S3Client s3(StaticCredentialsProvider session) {
        return S3Client.builder().httpClient(Clients.Http.CLIENT).credentialsProvider(session).build();
    }

    private StaticCredentialsProvider session(String syncId, List<String> keys, List<String> kmsActions) {
        String partition = roleArn.split(":")[1];
        var objects = keys.stream().map(k -> "arn:" + partition + ":s3:::" + bucket + "/" + k).toList();
        String policy = Json.MAPPER.writeValueAsString(Map.of("Version", "2012-10-17", "Statement", List.of(
                Map.of("Effect", "Allow", "Action", "s3:GetObject", "Resource", objects),
                Map.of("Effect", "Allow", "Action", kmsActions, "Resource", "*"))));
        try {
            var assumed = Sts.CLIENT.assumeRole(r -> r.roleArn(roleArn).externalId(externalId).policy(policy)
                    .roleSessionName(sessionName(syncId)).durationSeconds(3600));
            System.out.println("session policy for " + keys.size() + " objects: " + assumed.packedPolicySize() + " % of the packed size");
            Credentials credentials = assumed.credentials();
            return StaticCredentialsProvider.create(
                    AwsSessionCredentials.create(credentials.accessKeyId(), credentials.secretAccessKey(), credentials.sessionToken()));
        } catch (PackedPolicyTooLargeException e) {
            throw new Fault.PolicyTooLarge("the session policy for " + keys.size() + " objects is too large: " + e.getMessage(), e);
        } catch (SdkException e) {
            if (Transient.is(e)) throw new Fault.StoreUnavailable("STS can't be reached: " + e.getMessage(), e);
            throw new Fault.AccessRefused("role " + roleArn + " can't be assumed: " + e.getMessage()
                    + "; deploy the source's account with this account in its lockstep.yaml", e);
        }
    }

    /** Returns a session name with the sync id, which CloudTrail in the source account then shows. */
    private static String sessionName(String syncId) {
        return syncId.length() < 2 ? "sync-" + syncId : syncId.substring(0, Math.min(64, syncId.length()));
    }
}
