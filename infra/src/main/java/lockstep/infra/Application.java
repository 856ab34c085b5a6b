package lockstep.infra;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import lockstep.landscape.DatabaseUser;
import lockstep.landscape.Names;
import lockstep.landscape.Product;
import lockstep.landscape.Shard;
import software.amazon.awscdk.CfnOutput;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.services.cloudwatch.Metric;
import software.amazon.awscdk.services.ec2.Peer;
import software.amazon.awscdk.services.ec2.Port;
import software.amazon.awscdk.services.ec2.SecurityGroup;
import software.amazon.awscdk.services.ecr.Repository;
import software.amazon.awscdk.services.ecr.RepositoryAttributes;
import software.amazon.awscdk.services.ecr.assets.DockerImageAsset;
import software.amazon.awscdk.services.ecr.assets.Platform;
import software.amazon.awscdk.services.ecs.CloudMapOptions;
import software.amazon.awscdk.services.ecs.ContainerDependency;
import software.amazon.awscdk.services.ecs.ContainerDependencyCondition;
import software.amazon.awscdk.services.ecs.ContainerImage;
import software.amazon.awscdk.services.ecs.PortMapping;
import software.amazon.awscdk.services.kms.IKey;
import software.amazon.awscdk.services.logs.FilterPattern;
import software.amazon.awscdk.services.logs.MetricFilter;
import software.amazon.awscdk.services.secretsmanager.ISecret;
import software.amazon.awscdk.services.secretsmanager.Secret;
import software.amazon.awscdk.services.secretsmanager.SecretStringGenerator;
import software.amazon.awscdk.services.servicediscovery.DnsRecordType;
import software.amazon.awscdk.services.sns.Topic;
import software.constructs.Construct;

/** The product as one shard runs it. Each task migrates the database before it serves, and is registered under the shard's name. */
final class Application extends Construct {
    private static final String DATABASE_AUTHORITY = "DATABASE_SSL_ROOT";
    /** DNS returns a task's address for some time after the task was told to stop, and gateways keep idle connections for 20 s. */
    private static final Duration DRAIN_DELAY = Duration.seconds(25);
    private static final Duration STOP = Duration.seconds(60);
    private static final Task.Directory TEMPORARY = new Task.Directory("temporary", "/tmp", false);

    private final SecurityGroup group;
    private final EditionService service;

    /** @param key encrypts the shard's data and secrets */
    Application(ShardStack stack, NetworkStack network, IKey key) {
        super(stack, "Application");
        var shard = stack.shard();
        var product = stack.props().landscape().product().orElseThrow();
        var image = image(product);
        var task = new Task(this, network, Capacity.of(shard.edition()).product(), List.of(TEMPORARY));
        var migrate = task.add(new Task.Container("migrate", image, product.commands().migrate(),
                Map.of(DATABASE_AUTHORITY, databaseAuthorities(product)),
                Map.of("ADMIN_SECRET", stack.secretOf(DatabaseUser.ADMIN), "APPLICATION_SECRET", stack.secretOf(DatabaseUser.APPLICATION)),
                Optional.empty(), Duration.seconds(30), List.of(TEMPORARY)));
        var serve = task.add(new Task.Container(product.name(), image, product.commands().serve(), environment(stack, shard, key, task),
                Map.of("DATABASE_SECRET", stack.secretOf(DatabaseUser.APPLICATION), "SESSION_KEY", sessionKey(stack, key)),
                Optional.of(List.of("CMD-SHELL", "curl -fsS http://127.0.0.1:$HEALTH_PORT/alive >/dev/null")), STOP, List.of(TEMPORARY)));
        serve.addContainerDependencies(
                ContainerDependency.builder().container(migrate).condition(ContainerDependencyCondition.SUCCESS).build());
        serve.addPortMappings(PortMapping.builder().containerPort(product.port()).build());

        group = SecurityGroup.Builder.create(this, "Group").vpc(network.vpc()).description("Application of " + shard.name())
                .allowAllOutbound(false).build();
        group.addIngressRule(network.applicationClients(this, shard.edition()), Port.tcp(product.port()),
                "proxies of the " + shard.edition().word() + " edition");
        group.addEgressRule(Peer.anyIpv4(), Port.HTTPS, "S3 and the interface endpoints; there is no other route");
        service = new EditionService(this, network, shard.edition(), task, List.of(group), Optional.of(CloudMapOptions.builder()
                .cloudMapNamespace(network.namespace()).name(shard.name()).dnsRecordType(DnsRecordType.A).dnsTtl(Duration.seconds(5))
                .build()), EditionService.Rollout.ROLLING);
        service.rollBackOn(network.operations().alarmWhen(this, "FailingAlarm",
                shard.name() + ": more than ten requests failed within a minute; a running deployment is rolled back", failing(task, shard),
                10));
        // a product that does not run logs no failures either
        network.operations().alarmWhenNone(this, "OutageAlarm", shard.name() + ": no task of the application runs, or each exits soon",
                service.runningTasks(), 1, service);
    }

    private ContainerImage image(Product product) {
        return switch (product.image()) {
            case Product.Built built -> ContainerImage.fromDockerImageAsset(DockerImageAsset.Builder.create(this, "Image")
                    .directory(built.context().toString()).platform(Platform.LINUX_AMD64).build());
            case Product.Existing existing -> {
                // ACCOUNT.dkr.ecr.REGION.DOMAIN/REPOSITORY:TAG or @DIGEST
                var parts = existing.reference().split("\\.dkr\\.ecr\\.|\\.amazonaws\\.com(?:\\.cn)?/|@|:(?=[^:]*$)", 4);
                yield ContainerImage.fromEcrRepository(Repository.fromRepositoryAttributes(this, "Image", RepositoryAttributes.builder()
                        .repositoryName(parts[2]).repositoryArn(Names.arn("ecr", parts[1], parts[0], "repository/" + parts[2]))
                        .build()),
                        parts[3]);
            }
        };
    }

    /** The CA certificates of RDS, which are part of the image. */
    private static String databaseAuthorities(Product product) {
        return "/opt/%s/rds-ca-bundle.pem".formatted(product.name());
    }

    /** Counts failures in the product's log, because no load balancer in front of it counts them. */
    private Metric failing(Task task, Shard shard) {
        var namespace = Names.applicationMetrics(shard.name());
        MetricFilter.Builder.create(this, "Failing").logGroup(task.logs()).metricNamespace(namespace).metricName("Failing").metricValue("1")
                .filterPattern(FilterPattern.numberValue("$.status", ">=", 500)).build();
        return Metric.Builder.create().namespace(namespace).metricName("Failing").statistic("Sum").period(Duration.minutes(1)).build();
    }

    /** The security group of its tasks. */
    SecurityGroup group() {
        return group;
    }

    EditionService service() {
        return service;
    }

    private Map<String, String> environment(ShardStack stack, Shard shard, IKey key, Task task) {
        var product = stack.props().landscape().product().orElseThrow();
        var environment = new TreeMap<>(Map.of(
                "AWS_REGION", stack.getRegion(),
                "EDITION", shard.edition().word(),
                "SHARD", shard.name(),
                "RELEASE", stack.props().landscape().release(),
                "LISTEN_ADDRESS", "0.0.0.0",
                DATABASE_AUTHORITY, databaseAuthorities(product),
                "PORT", String.valueOf(product.port()),
                "HEALTH_PORT", String.valueOf(Product.HEALTH_PORT),
                "DRAIN_DELAY", DRAIN_DELAY.toIsoString()));
        switch (shard.edition()) {
            case PRODUCTION -> {}
            case DEMO -> {
                environment.put("TENANTS_EXPIRE_AFTER", shard.tenantsExpireAfter().orElseThrow().toString());
                environment.put("INQUIRY_TOPIC_ARN", inquiries(task, key).getTopicArn());
            }
        }
        return environment;
    }

    /** The topic that delivers visitors' inquiries to sales. */
    private Topic inquiries(Task task, IKey key) {
        var topic = Topic.Builder.create(this, "Inquiries").masterKey(key).enforceSsl(true).build();
        topic.grantPublish(task.getTaskRole());
        Accepted.finding(task.getTaskRole(), "AwsSolutions-IAM5", "Publishing to an encrypted topic needs it",
                "Action::kms:GenerateDataKey*");
        CfnOutput.Builder.create(topic.getStack(), "InquiryTopic").value(topic.getTopicArn()).build();
        return topic;
    }

    private ISecret sessionKey(ShardStack stack, IKey key) {
        var secret = Secret.Builder.create(this, "SessionKey")
                .description("Signs the sessions of " + stack.shard().name()).encryptionKey(key)
                .generateSecretString(SecretStringGenerator.builder().passwordLength(64).excludePunctuation(true).build()).build();
        secret.applyRemovalPolicy(stack.props().protection().data());
        Accepted.finding(secret, "AwsSolutions-SMG4",
                "A new key ends every session, so it is renewed manually: by a new value and a new deployment");
        return secret;
    }
}
