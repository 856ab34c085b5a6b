package lockstep.accounts;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import lockstep.landscape.Names;
import lockstep.registry.ImageRegistry;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.awscore.client.builder.AwsSyncClientBuilder;
import software.amazon.awssdk.awscore.endpoint.AwsClientEndpointProvider;
import software.amazon.awssdk.core.SdkClient;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpFullRequest;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.profiles.ProfileFile;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.regions.ServiceMetadata;
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
        var access = unverified(profile, region, accountId);
        try {
            String found = access.callerAccount();
            if (!found.equals(accountId)) {
                throw new IllegalArgumentException(
                        "AWS profile '" + profile + "' belongs to account " + found + ", but lockstep.yaml says " + accountId);
            }
            return access;
        } catch (SdkException | IllegalArgumentException e) {
            access.close();
            throw new IllegalArgumentException("account '" + profile + "' can't be reached: " + e.getMessage()
                    + "\n  Create a profile of that name, for example: aws configure sso --profile " + profile, e);
        }
    }

    /** Opens an AWS account with a profile, without asking to which account it belongs. */
    public static AccountAccess unverified(String profile, String region, String accountId) {
        var http = Apache5HttpClient.builder().maxConnections(64).socketTimeout(Duration.ofMinutes(16)).tcpKeepAlive(true).build();
        return new AccountAccess(Optional.empty(), Region.of(region), accountId, ProfileCredentialsProvider.create(profile), http);
    }

    /** Returns the id of the account to which the credentials belong. */
    public String callerAccount() {
        try (var sts = client(StsClient.builder())) {
            return sts.getCallerIdentity().account();
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
        String arn = Names.roleArn(region, accountId, role);
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
        var answer = post("api.ecr", Map.of("Content-Type", "application/x-amz-json-1.1", "X-Amz-Target",
                "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"), "{}");
        if (!answer.isSuccessful()) throw new IllegalStateException(
                "the registry of account " + accountId + " can't be opened: " + answer.status() + " " + answer.body());
        var token = JsonMapper.builder().build().readTree(answer.body()).at("/authorizationData/0");
        return new ImageRegistry(http, URI.create(token.get("proxyEndpoint").asString()),
                Optional.of("Basic " + token.get("authorizationToken").asString()));
    }

    /** The answer of a service to {@link #post}. */
    public record Answer(int status, String body) {
        public boolean isSuccessful() {
            return status / 100 == 2;
        }
    }

    /**
     * Sends a signed request to a service whose client would be used for this one call.
     *
     * @param service the prefix of its endpoints, such as {@code iam}
     * @throws UncheckedIOException if the service can't be reached
     */
    public Answer post(String service, Map<String, String> headers, String body) {
        byte[] content = body.getBytes(StandardCharsets.UTF_8);
        var request = SdkHttpFullRequest.builder().method(SdkHttpMethod.POST).uri(endpointOf(service)).encodedPath("/")
                .putHeader("Content-Length", Integer.toString(content.length));
        headers.forEach(request::putHeader);
        var unsigned = request.build();
        var signingRegion = ServiceMetadata.of(service).signingRegion(region);
        var signed = AwsV4HttpSigner.create().sign(
                r -> r.identity(credentials.resolveCredentials()).request(unsigned).payload(ContentStreamProvider.fromByteArray(content))
                        .putProperty(AwsV4HttpSigner.SERVICE_SIGNING_NAME, service.replace("api.", ""))
                        .putProperty(AwsV4HttpSigner.REGION_NAME, signingRegion.id()));
        try {
            var answer = http.prepareRequest(
                    HttpExecuteRequest.builder().request(signed.request()).contentStreamProvider(signed.payload().orElseThrow()).build())
                    .call();
            try (var in = answer.responseBody().orElseThrow()) {
                return new Answer(answer.httpResponse().statusCode(), new String(in.readAllBytes(), StandardCharsets.UTF_8));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(service + " can't be reached for account " + accountId, e);
        }
    }

    /** Returns the endpoint that a client of the service would use, which the user's environment can replace. */
    private URI endpointOf(String service) {
        return endpoint.map(LocalEndpoint::uri)
                .orElseGet(() -> AwsClientEndpointProvider.builder().serviceEndpointPrefix(service).region(region).defaultProtocol("https")
                        .serviceEndpointOverrideEnvironmentVariable("AWS_ENDPOINT_URL_" + service.toUpperCase(Locale.ROOT))
                        .serviceEndpointOverrideSystemProperty("aws.endpointUrl" + service).serviceProfileProperty(service)
                        .profileFile(ProfileFile::defaultProfileFile).profileName("default").build().clientEndpoint());
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
