package lockstep.infra;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import lockstep.landscape.Names;
import lockstep.landscape.Proxy;
import software.amazon.awscdk.CfnOutput;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.services.iam.IRole;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.amazon.awscdk.services.kms.Key;
import software.amazon.awscdk.services.s3.BlockPublicAccess;
import software.amazon.awscdk.services.s3.Bucket;
import software.amazon.awscdk.services.s3.BucketEncryption;
import software.amazon.awscdk.services.s3.LifecycleRule;
import software.amazon.awscdk.services.s3.assets.Asset;
import software.amazon.awscdk.services.secretsmanager.ISecret;
import software.amazon.awscdk.services.secretsmanager.Secret;
import software.constructs.Construct;
import tools.jackson.databind.json.JsonMapper;

/**
 * The settings that a proxy reloads while it runs: its certificate, the client authority and the routes. Operators change them without a
 * deployment. A proxy starts even before any are set.
 */
final class ProxySettings extends Construct {
    private final AccountStack stack;
    private final Key key;
    private final Bucket logs;
    private final Bucket bucket;
    private final ISecret certificate;
    private final Asset routes;

    ProxySettings(AccountStack stack, Proxy proxy) {
        super(stack, "Settings");
        this.stack = stack;
        var data = stack.props().protection().data();
        key = Key.Builder.create(this, "Key").description("Settings of " + proxy.host()).enableKeyRotation(true).removalPolicy(data)
                .build();
        logs = Bucket.Builder.create(this, "AccessLogs")
                // the log services can't write to a bucket with a customer-managed key
                .encryption(BucketEncryption.S3_MANAGED)
                .blockPublicAccess(BlockPublicAccess.BLOCK_ALL).enforceSsl(true)
                .lifecycleRules(List.of(LifecycleRule.builder().expiration(Duration.days(90)).build()))
                .removalPolicy(data).build();
        bucket = Bucket.Builder.create(this, "Bucket")
                .encryption(BucketEncryption.KMS).encryptionKey(key).bucketKeyEnabled(true)
                .blockPublicAccess(BlockPublicAccess.BLOCK_ALL).enforceSsl(true)
                .versioned(true)
                .serverAccessLogsBucket(logs).serverAccessLogsPrefix("settings/")
                .lifecycleRules(List.of(LifecycleRule.builder().noncurrentVersionExpiration(Duration.days(90)).build()))
                .removalPolicy(data).build();
        certificate = certificate(proxy);
        routes = Asset.Builder.create(this, "Routes").path(routes(proxy)).build();
        CfnOutput.Builder.create(stack, "SettingsBucket").value(bucket.getBucketName()).build();
        CfnOutput.Builder.create(stack, "CertificateSecret").value(certificate.getSecretArn()).build();
    }

    /** The bucket for access logs of the settings bucket and of a load balancer. */
    Bucket logs() {
        return logs;
    }

    /** Returns the {@code s3://} URL of an object of the bucket. */
    String url(String object) {
        return bucket.s3UrlForObject(object);
    }

    /** The environment variables of the settings container in both editions. */
    Map<String, String> environment() {
        return Map.of("CERTIFICATE_SECRET_ARN", certificate.getSecretArn(), "ROUTES_DEFAULT", routes.getS3ObjectUrl(), "ROUTES_OVERRIDES",
                url(Names.ROUTES_OVERRIDES));
    }

    /** Allows the role to read these settings only. {@code Asset.grantRead} would allow all assets of the account. */
    void grantRead(IRole role) {
        var objects = Stream.of(Names.CLIENT_AUTHORITY, Names.REVOCATION_LIST, Names.ROUTES_OVERRIDES).map(bucket::arnForObjects);
        role.addToPrincipalPolicy(PolicyStatement.Builder.create()
                .actions(List.of("s3:GetObject"))
                .resources(Stream.concat(objects, Stream.of(routes.getBucket().arnForObjects(routes.getS3ObjectKey()))).toList()).build());
        // without it, S3 answers 403 for a missing object
        role.addToPrincipalPolicy(
                PolicyStatement.Builder.create().actions(List.of("s3:ListBucket")).resources(List.of(bucket.getBucketArn())).build());
        role.addToPrincipalPolicy(PolicyStatement.Builder.create()
                .actions(List.of("secretsmanager:GetSecretValue")).resources(List.of(certificate.getSecretArn())).build());
        key.grantDecrypt(role);
    }

    /** The secret starts as random text. The settings container uses a self-signed certificate until the secret holds a real one. */
    private Secret certificate(Proxy proxy) {
        var secret = Secret.Builder.create(this, "Certificate")
                .description("JSON with certificate and key of %s, both PEM".formatted(proxy.host())).encryptionKey(key).build();
        secret.applyRemovalPolicy(stack.props().protection().data());
        Accepted.finding(secret, "AwsSolutions-SMG4", "The certificate is renewed by its authority and stored here by an operator");
        return secret;
    }

    /**
     * Writes the routes to the deployed shards into a temporary file. Its path does not matter, because an asset is named by its content.
     */
    private String routes(Proxy proxy) {
        var product = stack.props().landscape().product().orElseThrow();
        var account = stack.props().account();
        var shards = account.applicationsOf(proxy.edition());
        var upstreams = new TreeMap<String, Object>();
        var hosts = new TreeMap<String, String>();
        for (var shard : shards) {
            upstreams.put(shard.name(),
                    new TreeMap<>(Map.of("upstream", Names.upstream(account, product, shard.name()), "health", product.health())));
            hosts.put(shard.name() + "." + proxy.host(), shard.name());
        }
        hosts.put(proxy.host(), shards.getFirst().name());
        var routes = new TreeMap<String, Object>(Map.of(
                "edition", proxy.edition().word(),
                "tenantRules", List.of(Map.of("cookie", "tenant")),
                "shards", upstreams,
                "hosts", hosts,
                "default", shards.getFirst().name()));
        try {
            var file = Files.createTempFile("routes", ".json");
            file.toFile().deleteOnExit();
            Files.writeString(file, JsonMapper.shared().writeValueAsString(routes));
            return file.toString();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the routes of " + proxy.host(), e);
        }
    }
}
