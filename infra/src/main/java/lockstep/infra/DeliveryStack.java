package lockstep.infra;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import lockstep.landscape.Delivery;
import lockstep.landscape.Names;
import lockstep.landscape.Purpose;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.services.cloudwatch.Metric;
import software.amazon.awscdk.services.iam.OidcProviderNative;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.amazon.awscdk.services.iam.Role;
import software.amazon.awscdk.services.iam.WebIdentityPrincipal;
import software.amazon.awscdk.services.kms.Key;
import software.amazon.awscdk.services.s3.BlockPublicAccess;
import software.amazon.awscdk.services.s3.Bucket;
import software.amazon.awscdk.services.s3.BucketEncryption;
import software.amazon.awscdk.services.s3.LifecycleRule;
import software.constructs.Construct;

/**
 * Release delivery of an account: the releases, the deploy log, the roles of the pipeline, and notifications. It is a separate stack
 * because it must exist before a pipeline deploys the first release, and because it rarely changes.
 */
final class DeliveryStack extends AccountStack {
    /** The longest a deployment may take. The first one waits for databases; later ones wait for tasks to finish their requests. */
    private static final Duration SESSION = Duration.hours(4);

    private final NetworkStack network;
    private final Key key;
    private final Bucket releases;

    DeliveryStack(Construct scope, String id, Props props, NetworkStack network) {
        super(scope, id, props, "Lockstep: releases, deploy log, roles of the pipeline and notifications of " + props.account().name());
        this.network = network;
        key = Key.Builder.create(this, "Key")
                .description("Releases and notifications of " + props.account().name()).enableKeyRotation(true)
                .removalPolicy(props.protection().data()).build();
        releases = releases();
        var email = props.landscape().delivery().map(Delivery::email).orElse(List.of());
        new Notifications(this, network, key, email);
        if (props.account().purpose() != Purpose.QA) alarmWhenApart();
        props.landscape().delivery().ifPresent(this::roles);
    }

    /** The bucket is versioned and no role may delete from it, so whatever was written can still be read after it is overwritten. */
    private Bucket releases() {
        var logs = Bucket.Builder.create(this, "AccessLogs")
                // the log service can't write to a bucket with a customer-managed key
                .encryption(BucketEncryption.S3_MANAGED)
                .blockPublicAccess(BlockPublicAccess.BLOCK_ALL).enforceSsl(true)
                .lifecycleRules(List.of(LifecycleRule.builder().expiration(Duration.days(90)).build()))
                .removalPolicy(props().protection().data()).build();
        return Bucket.Builder.create(this, "Releases")
                .bucketName(Names.releases(props().account().id(), props().region()))
                .encryption(BucketEncryption.KMS).encryptionKey(key).bucketKeyEnabled(true)
                .blockPublicAccess(BlockPublicAccess.BLOCK_ALL).enforceSsl(true)
                .versioned(true)
                .serverAccessLogsBucket(logs).serverAccessLogsPrefix("access/")
                .lifecycleRules(
                        List.of(LifecycleRule.builder().id("leftovers").abortIncompleteMultipartUploadAfter(Duration.days(1)).build()))
                .removalPolicy(props().protection().data()).build();
    }

    /** Not for qa, which is ahead of the other accounts on purpose. A scheduled pipeline publishes the metric; missing data is no alarm. */
    private void alarmWhenApart() {
        network.operations().alarmWhen(this, "ApartAlarm", "the accounts have not run the same release for more than an hour",
                Metric.Builder.create().namespace(Names.deliveryMetrics()).metricName(Names.RELEASES_APART).statistic("Maximum")
                        .period(Duration.hours(1)).build(),
                3600);
    }

    private void roles(Delivery delivery) {
        var provider = OidcProviderNative.Builder.create(this, "GitLab").url(delivery.gitlab()).clientIds(List.of(Delivery.AUDIENCE))
                .build();
        var branch = Map.of("StringEquals",
                Map.of(delivery.issuer() + ":aud", Delivery.AUDIENCE, delivery.issuer() + ":sub", delivery.subject()));
        var others = Map.of("StringEquals",
                Map.of(delivery.issuer() + ":aud", Delivery.AUDIENCE, delivery.issuer() + ":sub", delivery.syncSubjects()));
        var anyBranch = Map.of("StringEquals", Map.of(delivery.issuer() + ":aud", Delivery.AUDIENCE), "StringLike",
                Map.of(delivery.issuer() + ":sub", delivery.anyBranch()));
        var roles = new ArrayList<>(List.of(deployRole(principal(delivery, branch)), syncRole(principal(delivery, branch)),
                diffRole(principal(delivery, anyBranch))));
        if (!delivery.syncFrom().isEmpty()) roles.add(syncOnlyRole(principal(delivery, others)));
        roles.forEach(role -> role.getNode().addDependency(provider));
    }

    /** Names the provider by its ARN, which follows from its URL, so that the role does not depend on the provider's resource. */
    private WebIdentityPrincipal principal(Delivery delivery, Map<String, ? extends Map<String, ?>> conditions) {
        var sorted = new TreeMap<String, Object>();
        conditions.forEach((operator, values) -> sorted.put(operator, new TreeMap<>(values)));
        return new WebIdentityPrincipal(
                Names.globalArn("iam", getRegion(), props().account().id(), "oidc-provider/" + delivery.issuer()), sorted);
    }

    private Role role(String id, String name, String description, WebIdentityPrincipal principal) {
        return Role.Builder.create(this, id).roleName(name).description(description).assumedBy(principal).maxSessionDuration(SESSION)
                .build();
    }

    /** A role that deploys with the CDK's bootstrap roles, as a person does, and that stores releases and writes the deploy log. */
    private Role deployRole(WebIdentityPrincipal principal) {
        var role = role("Deploy", Names.deployRole(), "Jobs of the protected branch: deploys releases into this account", principal);
        var region = props().region();
        var account = props().account().id();
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of("sts:AssumeRole", "sts:TagSession"))
                .resources(Stream.of("deploy", "file-publishing", "image-publishing", "lookup")
                        .map(purpose -> Names.roleArn(region, account, Names.bootstrapRole(purpose, account, region))).toList())
                .build());
        role.addToPolicy(
                PolicyStatement.Builder.create().actions(List.of("s3:ListBucket")).resources(List.of(releases.getBucketArn())).build());
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of("s3:GetObject", "s3:PutObject"))
                .resources(List.of(releases.arnForObjects("assemblies/*"), releases.arnForObjects("releases/*"),
                        releases.arnForObjects("log/*")))
                .build());
        key.grantEncryptDecrypt(role);
        // a new release may have added tables, so the sync's logins are granted their rights again
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of("lambda:InvokeFunction"))
                .resources(List.of(Names.functionArn(region, account, Names.prepareDatabase()))).build());
        network.operations().grantPublish(role);
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of("cloudwatch:PutMetricData")).resources(List.of("*"))
                // AWS always sets this key; an emulator may not
                .conditions(Map.of("StringEqualsIfExists", Map.of("cloudwatch:namespace", Names.deliveryMetrics()))).build());
        Accepted.finding(role, "AwsSolutions-IAM5", "Metrics have no ARN; a condition restricts the namespace", "Resource::*");
        Accepted.finding(role, "AwsSolutions-IAM5", "Releases, their assemblies and log entries, whose names are not known in advance",
                OBJECTS);
        Accepted.finding(role, "AwsSolutions-IAM5",
                "GenerateDataKey, with and without plaintext, and the calls that S3 makes for one object", "Action::kms:GenerateDataKey*",
                "Action::kms:ReEncrypt*");
        return role;
    }

    /** A role that assumes the same roles as a person who syncs. It has no access to data of its own. */
    private Role syncRole(WebIdentityPrincipal principal) {
        var role = role("Sync", Names.syncRole(), "Jobs of the protected branch: starts and follows syncs of master data", principal);
        role.addToPolicy(startAndFollow());
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of("s3:PutObject"))
                .resources(List.of(releases.arnForObjects("log/*"))).build());
        key.grantEncryptDecrypt(role);
        network.operations().grantPublish(role);
        Accepted.finding(role, "AwsSolutions-IAM5", "Log entries, whose names are not known in advance", OBJECTS);
        Accepted.finding(role, "AwsSolutions-IAM5",
                "GenerateDataKey, with and without plaintext, and the calls that S3 makes for one object", "Action::kms:GenerateDataKey*",
                "Action::kms:ReEncrypt*");
        return role;
    }

    /** A role for jobs of other projects. It writes no log, by which {@code release rollback} decides. */
    private Role syncOnlyRole(WebIdentityPrincipal principal) {
        var role = role("SyncOnly", Names.syncOnlyRole(), "Jobs of other projects: starts and follows syncs of master data", principal);
        role.addToPolicy(startAndFollow());
        return role;
    }

    private PolicyStatement startAndFollow() {
        var assumed = new ArrayList<String>();
        var landscape = props().landscape();
        if (!landscape.sourcesIn(props().account()).isEmpty()) assumed.add(Names.syncStartRole());
        if (!landscape.receivedBy(props().account()).isEmpty()) assumed.add(Names.observerRole());
        return PolicyStatement.Builder.create().actions(List.of("sts:AssumeRole"))
                .resources(assumed.stream().map(name -> Names.roleArn(getRegion(), props().account().id(), name)).toList()).build();
    }

    /** A role that reads only templates, because code that nobody has reviewed yet runs with it. */
    private Role diffRole(WebIdentityPrincipal principal) {
        var role = role("Diff", Names.diffRole(), "Jobs of any branch: reads the deployed templates", principal);
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of("cloudformation:DescribeStacks", "cloudformation:GetTemplate"))
                .resources(List.of(Names.arn("cloudformation", getRegion(), props().account().id(),
                        "stack/" + props().account().name() + "-*/*")))
                .build());
        Accepted.finding(role, "AwsSolutions-IAM5", "The stacks of this account; stack ids are not known in advance",
                "/^Resource::arn:aws[a-z-]*:cloudformation:.*:stack\\/.*-\\*\\/\\*$/");
        return role;
    }

    private static final String OBJECTS = "/^Resource::<Releases.*\\.Arn>\\/(assemblies|releases|log)\\/\\*$/";
}
