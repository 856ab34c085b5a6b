package lockstep.accounts;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import lockstep.registry.ImageRegistry;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.awscore.client.builder.AwsSyncClientBuilder;
import software.amazon.awssdk.core.SdkClient;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpFullRequest;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.auth.StsAssumeRoleWithWebIdentityCredentialsProvider;
import tools.jackson.databind.json.JsonMapper;

/**
 * Access to an account of the local cloud or AWS. It creates clients with the endpoint, TLS trust, region and credentials. All Java code
 * uses it.
 */
public final class AccountAccess implements AutoCloseable {
    /** The endpoint of the local cloud; empty for AWS. */
    private final Optional<LocalEndpoint> endpoint;
    private final Region region;
    private final String accountId;
    private final AwsCredentialsProvider credentials;
    private final SdkHttpClient http;

    private AccountAccess(Optional<LocalEndpoint> endpoint, Region region, String accountId, AwsCredentialsProvider credentials,
            SdkHttpClient http) {
        this.endpoint = endpoint;
        this.region = region;
        this.accountId = accountId;
        this.credentials = credentials;
        this.http = http;
    }

    /** Opens an account as root, for administration. The emulator treats a key id of 12 digits as the root of that account. */
    public static AccountAccess root(LocalEndpoint endpoint, String region, String accountId) {
        if (!accountId.matches("\\d{12}")) {
            throw new IllegalArgumentException("an account id has 12 digits, not '" + accountId + "'");
        }
        var http = Apache5HttpClient.builder().maxConnections(64).socketTimeout(Duration.ofMinutes(16))
                .tlsTrustManagersProvider(endpoint::trust).build();
        return new AccountAccess(Optional.of(endpoint), Region.of(region), accountId,
                StaticCredentialsProvider.create(AwsBasicCredentials.create(accountId, "local")), http);
    }

    /**
     * Opens an AWS account with a profile of the user's AWS configuration.
     *
     * @throws IllegalArgumentException if the profile does not exist, or its account differs from the landscape
     */
    public static AccountAccess profile(String profile, String region, String accountId) {
        var http = Apache5HttpClient.builder().maxConnections(64).socketTimeout(Duration.ofMinutes(16)).tcpKeepAlive(true).build();
        var access = new AccountAccess(Optional.empty(), Region.of(region), accountId, ProfileCredentialsProvider.create(profile), http);
        try (var sts = access.client(StsClient.builder())) {
            String found = sts.getCallerIdentity().account();
            if (!found.equals(accountId)) {
                throw new IllegalArgumentException(
                        "AWS profile '" + profile + "' belongs to account " + found + ", but lockstep.yaml says " + accountId);
            }
            return access;
        } catch (SdkException | IllegalArgumentException e) {
            http.close();
            throw new IllegalArgumentException("account '" + profile + "' can't be reached: " + e.getMessage()
                    + "\n  Create a profile of that name, for example: aws configure sso --profile " + profile, e);
        }
    }

    /**
     * Opens an account with a role, using the token of a pipeline job. The credentials are refreshed before they expire.
     *
     * @param endpoint the endpoint of the local cloud; empty for AWS
     */
    public static AccountAccess webIdentity(Optional<LocalEndpoint> endpoint, String region, String accountId, String role, String token,
            String session) {
        var http = endpoint
                .map(local -> Apache5HttpClient.builder().maxConnections(64).socketTimeout(Duration.ofMinutes(16))
                        .tlsTrustManagersProvider(local::trust).build())
                .orElseGet(() -> Apache5HttpClient.builder().maxConnections(64).socketTimeout(Duration.ofMinutes(16)).tcpKeepAlive(true)
                        .build());
        var anonymous = new AccountAccess(endpoint, Region.of(region), accountId, AnonymousCredentialsProvider.create(), http);
        var sts = anonymous.client(StsClient.builder());
        String arn = "arn:aws:iam::%s:role/%s".formatted(accountId, role);
        var credentials = StsAssumeRoleWithWebIdentityCredentialsProvider.builder().stsClient(sts)
                .refreshRequest(r -> r.roleArn(arn).roleSessionName(session).webIdentityToken(token)).build();
        try {
            credentials.resolveCredentials();
        } catch (SdkException e) {
            http.close();
            throw new IllegalArgumentException("the job's token can't assume role " + arn + ": " + e.getMessage()
                    + "\n  The role trusts only jobs of the project and branch that lockstep.yaml names under delivery, and "
                    + "lockstep-sync-only those of its syncFrom. Check that this is such a job, and that the account's delivery stack is "
                    + "deployed",
                    e);
        }
        return new AccountAccess(endpoint, Region.of(region), accountId, credentials, http);
    }

    /** Returns the credentials and region as environment variables for tools. */
    public Map<String, String> environment() {
        var resolved = credentials.resolveCredentials();
        var environment = new TreeMap<>(Map.of("AWS_ACCESS_KEY_ID", resolved.accessKeyId(), "AWS_SECRET_ACCESS_KEY",
                resolved.secretAccessKey(), "AWS_REGION", region.id()));
        if (resolved instanceof AwsSessionCredentials session) environment.put("AWS_SESSION_TOKEN", session.sessionToken());
        return environment;
    }

    /** Returns access that has only the rights of a role. Closing either closes both. */
    public AccountAccess assume(String roleArn, String session) {
        try (var sts = client(StsClient.builder())) {
            var given = sts.assumeRole(r -> r.roleArn(roleArn).roleSessionName(session)).credentials();
            return with(StaticCredentialsProvider
                    .create(AwsSessionCredentials.create(given.accessKeyId(), given.secretAccessKey(), given.sessionToken())));
        }
    }

    /** Returns credentials with the rights of a role. AWS limits their duration; the emulator does not. */
    public AwsSessionCredentials session(String roleArn, String session, Duration duration) {
        try (var sts = client(StsClient.builder())) {
            var given = sts.assumeRole(r -> r.roleArn(roleArn).roleSessionName(session).durationSeconds((int) duration.toSeconds()))
                    .credentials();
            return AwsSessionCredentials.create(given.accessKeyId(), given.secretAccessKey(), given.sessionToken());
        }
    }

    /** Returns access with other credentials. Closing either closes both. */
    public AccountAccess with(AwsCredentialsProvider other) {
        return new AccountAccess(endpoint, region, accountId, other, http);
    }

    /** Builds the client of a service, for example {@code access.client(SfnClient.builder())}. */
    public <B extends AwsSyncClientBuilder<B, C> & AwsClientBuilder<B, C>, C extends SdkClient> C client(B builder) {
        endpoint.ifPresent(local -> builder.endpointOverride(local.uri()));
        return builder.httpClient(http).region(region).credentialsProvider(credentials).build();
    }

    /**
     * Opens the image registry of the account with a token that is valid for some hours.
     *
     * @throws IllegalStateException if the credentials do not allow it
     */
    public ImageRegistry registry() {
        // the only ECR call, so it is made without the ECR client
        byte[] body = "{}".getBytes(StandardCharsets.UTF_8);
        var request = SdkHttpFullRequest.builder().method(SdkHttpMethod.POST)
                .uri(endpoint.map(LocalEndpoint::uri).orElseGet(() -> URI.create("https://api.ecr." + region.id() + ".amazonaws.com")))
                .encodedPath("/").putHeader("Content-Type", "application/x-amz-json-1.1")
                .putHeader("Content-Length", Integer.toString(body.length))
                .putHeader("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken").build();
        var signed = AwsV4HttpSigner.create()
                .sign(r -> r.identity(credentials.resolveCredentials()).request(request).payload(ContentStreamProvider.fromByteArray(body))
                        .putProperty(AwsV4HttpSigner.SERVICE_SIGNING_NAME, "ecr").putProperty(AwsV4HttpSigner.REGION_NAME, region.id()));
        try {
            var answer = http.prepareRequest(
                    HttpExecuteRequest.builder().request(signed.request()).contentStreamProvider(signed.payload().orElseThrow()).build())
                    .call();
            byte[] content;
            try (var in = answer.responseBody().orElseThrow()) {
                content = in.readAllBytes();
            }
            if (!answer.httpResponse().isSuccessful()) {
                throw new IllegalStateException("the registry of account " + accountId + " can't be opened: "
                        + answer.httpResponse().statusCode() + " " + new String(content, StandardCharsets.UTF_8));
            }
            var token = JsonMapper.builder().build().readTree(content).at("/authorizationData/0");
            return new ImageRegistry(http, URI.create(token.get("proxyEndpoint").asString()),
                    Optional.of("Basic " + token.get("authorizationToken").asString()));
        } catch (IOException e) {
            throw new UncheckedIOException("the registry of account " + accountId + " can't be reached", e);
        }
    }

    public String accountId() {
        return accountId;
    }

    public String region() {
        return region.id();
    }

    @Override
    public void close() {
        http.close();
    }
}
