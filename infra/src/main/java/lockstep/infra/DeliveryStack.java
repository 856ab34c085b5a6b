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
 * How releases come into an account: those that are kept, the log of what was deployed, who may deploy, and who is told. A stack of its own
 * because it is there before the first release comes by a pipeline, and rarely changes.
 */
final class DeliveryStack extends AccountStack {
    /** What a deployment may take: its first may wait for databases, and others for tasks that end what they do. */
    private static final Duration SESSION = Duration.hours(4);

    private final NetworkStack network;
    private final Key key;
    private final Bucket releases;

    DeliveryStack(Construct scope, String id, Props props, NetworkStack network) {
        super(scope, id, props, "Lockstep: releases, deploy log, roles of the pipeline and notifications of " + props.account().name());
        this.network = network;
        key = Key.Builder.create(this, "Key")
                .description("Releases and notifications of " + props.account().name()).enableKeyRotation(true).removalPolicy(props.protection().data()).build();
        releases = releases();
        var email = props.landscape().delivery().map(Delivery::email).orElse(List.of());
        new Notifications(this, network, key, email);
        if (props.account().purpose() != Purpose.QA) tellWhenApart();
        props.landscape().delivery().ifPresent(this::roles);
    }

    /** Versioned, and no role may delete: what was once written is there to be read, whoever writes again. */
    private Bucket releases() {
        var logs = Bucket.Builder.create(this, "AccessLogs")
                // the log service writes to no bucket with a key of ours
                .encryption(BucketEncryption.S3_MANAGED)
                .blockPublicAccess(BlockPublicAccess.BLOCK_ALL).enforceSsl(true)
                .lifecycleRules(List.of(LifecycleRule.builder().expiration(Duration.days(90)).build()))
                .removalPolicy(props().protection().data()).build();
        return Bucket.Builder.create(this, "Releases")
                .bucketName(Names.releases(props().account().id(), props().landscape().region()))
                .encryption(BucketEncryption.KMS).encryptionKey(key).bucketKeyEnabled(true)
                .blockPublicAccess(BlockPublicAccess.BLOCK_ALL).enforceSsl(true)
                .versioned(true)
                .serverAccessLogsBucket(logs).serverAccessLogsPrefix("access/")
                .lifecycleRules(List.of(LifecycleRule.builder().id("leftovers").abortIncompleteMultipartUploadAfter(Duration.days(1)).build()))
                .removalPolicy(props().protection().data()).build();
    }

    /** Qa is ahead of the others on purpose. What nobody measures is no fault: a pipeline's schedule does. */
    private void tellWhenApart() {
        network.operations().tellWhen(this, "ApartAlarm", "for more than an hour the accounts have not run the same release",
                Metric.Builder.create().namespace(Names.deliveryMetrics()).metricName(Names.RELEASES_APART).statistic("Maximum").period(Duration.hours(1)).build(), 3600);
    }

    private void roles(Delivery delivery) {
        var provider = OidcProviderNative.Builder.create(this, "GitLab").url(delivery.gitlab()).clientIds(List.of(Delivery.AUDIENCE)).build();
        var branch = Map.of("StringEquals", Map.of(delivery.issuer() + ":aud", Delivery.AUDIENCE, delivery.issuer() + ":sub", delivery.subject()));
        var anyBranch = Map.of("StringEquals", Map.of(delivery.issuer() + ":aud", Delivery.AUDIENCE), "StringLike", Map.of(delivery.issuer() + ":sub", delivery.anyBranch()));
        for (var role : List.of(deployRole(principal(delivery, branch)), syncRole(principal(delivery, branch)), diffRole(principal(delivery, anyBranch)))) {
            role.getNode().addDependency(provider);
        }
    }

    /** The provider by its name, which is made of its address: a role that referred to the resource could not be had without it. */
    private WebIdentityPrincipal principal(Delivery delivery, Map<String, Map<String, String>> conditions) {
        var sorted = new TreeMap<String, Object>();
        conditions.forEach((operator, values) -> sorted.put(operator, new TreeMap<>(values)));
        return new WebIdentityPrincipal("arn:aws:iam::%s:oidc-provider/%s".formatted(props().account().id(), delivery.issuer()), sorted);
    }

    private Role role(String id, String name, String description, WebIdentityPrincipal principal) {
        return Role.Builder.create(this, id).roleName(name).description(description).assumedBy(principal).maxSessionDuration(SESSION).build();
    }

    /** Deploys by the roles of the CDK's bootstrapping, as a person does, and keeps and records what it deployed. */
    private Role deployRole(WebIdentityPrincipal principal) {
        var role = role("Deploy", Names.deployRole(), "Jobs of the protected branch: deploys releases into this account", principal);
        var region = props().landscape().region();
        var account = props().account().id();
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of("sts:AssumeRole", "sts:TagSession"))
                .resources(Stream.of("deploy", "file-publishing", "image-publishing", "lookup").map(purpose -> Names.roleArn(account, Names.bootstrapRole(purpose, account, region))).toList()).build());
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of("s3:ListBucket")).resources(List.of(releases.getBucketArn())).build());
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of("s3:GetObject", "s3:PutObject"))
                .resources(List.of(releases.arnForObjects("assemblies/*"), releases.arnForObjects("releases/*"), releases.arnForObjects("log/*"))).build());
        key.grantEncryptDecrypt(role);
        // a new release may have brought tables: the logins of the sync get their rights anew
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of("lambda:InvokeFunction"))
                .resources(List.of(Names.functionArn(region, account, Names.prepareDatabase("*")))).build());
        network.operations().grantPublish(role);
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of("cloudwatch:PutMetricData")).resources(List.of("*"))
                // it always exists on AWS; an emulator may not know it
                .conditions(Map.of("StringEqualsIfExists", Map.of("cloudwatch:namespace", Names.deliveryMetrics()))).build());
        Accepted.finding(role, "AwsSolutions-IAM5", "Metrics have no ARN; the namespace is named", "Resource::*");
        Accepted.finding(role, "AwsSolutions-IAM5", "Releases, their assemblies and entries of the log, whose names nobody knows before", OBJECTS);
        Accepted.finding(role, "AwsSolutions-IAM5", "The functions that prepare the databases of this account", "/^Resource::arn:aws:lambda:.*:function:lockstep-\\*-prepare-database$/");
        Accepted.finding(role, "AwsSolutions-IAM5", "GenerateDataKey, with and without plain text, and what S3 needs for one object", "Action::kms:GenerateDataKey*", "Action::kms:ReEncrypt*");
        return role;
    }

    /** Becomes the roles that a person becomes to sync; it may itself do nothing to data. */
    private Role syncRole(WebIdentityPrincipal principal) {
        var role = role("Sync", Names.syncRole(), "Jobs of the protected branch: starts and follows syncs of master data", principal);
        var assumed = new ArrayList<String>();
        for (var dataSet : props().landscape().dataSets()) {
            if (props().account().shards().stream().anyMatch(shard -> shard.name().equals(dataSet.source()))) assumed.add(Names.syncStartRole(dataSet.name()));
            if (!props().landscape().targetsIn(props().account(), dataSet).isEmpty()) assumed.add(Names.observerRole(dataSet.name()));
        }
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of("sts:AssumeRole"))
                .resources(assumed.stream().map(name -> Names.roleArn(props().account().id(), name)).toList()).build());
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of("s3:PutObject")).resources(List.of(releases.arnForObjects("log/*"))).build());
        key.grantEncryptDecrypt(role);
        network.operations().grantPublish(role);
        Accepted.finding(role, "AwsSolutions-IAM5", "Entries of the log, whose names nobody knows before", OBJECTS);
        Accepted.finding(role, "AwsSolutions-IAM5", "GenerateDataKey, with and without plain text, and what S3 needs for one object", "Action::kms:GenerateDataKey*", "Action::kms:ReEncrypt*");
        return role;
    }

    /** Reads no more than templates, since what nobody has reviewed yet runs with it. */
    private Role diffRole(WebIdentityPrincipal principal) {
        var role = role("Diff", Names.diffRole(), "Jobs of any branch: reads the templates that are deployed", principal);
        role.addToPolicy(PolicyStatement.Builder.create().actions(List.of("cloudformation:DescribeStacks", "cloudformation:GetTemplate"))
                .resources(List.of("arn:aws:cloudformation:%s:%s:stack/%s-*/*".formatted(props().landscape().region(), props().account().id(), props().account().name()))).build());
        Accepted.finding(role, "AwsSolutions-IAM5", "The stacks of this account, and whatever number each has", "/^Resource::arn:aws:cloudformation:.*:stack\\/.*-\\*\\/\\*$/");
        return role;
    }

    private static final String OBJECTS = "/^Resource::<Releases.*\\.Arn>\\/(assemblies|releases|log)\\/\\*$/";
}
