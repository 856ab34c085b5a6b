package lockstep.infra;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import lockstep.landscape.DatabaseUser;
import lockstep.landscape.ExistingDatabase;
import lockstep.landscape.Names;
import lockstep.landscape.Purpose;
import lockstep.landscape.Shard;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.Tags;
import software.amazon.awscdk.services.ec2.Port;
import software.amazon.awscdk.services.ec2.SecurityGroup;
import software.amazon.awscdk.services.ec2.SubnetSelection;
import software.amazon.awscdk.services.ec2.SubnetType;
import software.amazon.awscdk.services.iam.Grant;
import software.amazon.awscdk.services.iam.GrantOnPrincipalOptions;
import software.amazon.awscdk.services.iam.IGrantable;
import software.amazon.awscdk.services.kms.Key;
import software.amazon.awscdk.services.rds.CfnDBCluster;
import software.amazon.awscdk.services.rds.AuroraPostgresClusterEngineProps;
import software.amazon.awscdk.services.rds.AuroraPostgresEngineVersion;
import software.amazon.awscdk.services.rds.BackupProps;
import software.amazon.awscdk.services.rds.ClusterInstance;
import software.amazon.awscdk.services.rds.Credentials;
import software.amazon.awscdk.services.rds.DatabaseCluster;
import software.amazon.awscdk.services.rds.DatabaseClusterEngine;
import software.amazon.awscdk.services.rds.DatabaseSecret;
import software.amazon.awscdk.services.rds.IClusterEngine;
import software.amazon.awscdk.services.rds.ServerlessV2ClusterInstanceProps;
import software.amazon.awscdk.services.secretsmanager.ISecret;
import software.amazon.awscdk.services.secretsmanager.Secret;
import software.amazon.awscdk.services.secretsmanager.SecretStringGenerator;
import software.constructs.Construct;
import tools.jackson.databind.json.JsonMapper;

/**
 * One shard: its database, the secrets of its users, and its application; or only secrets, if its database exists already. It is a separate
 * stack because it is stateful.
 */
final class ShardStack extends AccountStack {
    private final Shard shard;
    private final Key key;
    private final Map<DatabaseUser, ISecret> secrets = new EnumMap<>(DatabaseUser.class);

    ShardStack(Construct scope, String id, Props props, NetworkStack network, Shard shard) {
        super(scope, id, props,
                "Lockstep: %s of the shard %s".formatted(shard.runsProduct() ? "database and application" : "logins", shard.name()));
        this.shard = shard;
        Tags.of(this).add("shard", shard.name());
        Tags.of(this).add("edition", shard.edition().name().toLowerCase(Locale.ROOT));

        key = Key.Builder.create(this, "Key")
                .description("Database and secrets of " + shard.name()).enableKeyRotation(true).removalPolicy(props().protection().data())
                .build();
        shard.database().ifPresentOrElse(this::addLogins, () -> addDatabase(network));
        exportAlways(secretArn(DatabaseUser.READER), secretArn(DatabaseUser.WRITER), key.getKeyArn());
    }

    private void addDatabase(NetworkStack network) {
        var admin = secret(DatabaseUser.ADMIN);
        var cluster = cluster(network, admin);
        secrets.put(DatabaseUser.ADMIN, cluster.getSecret());
        secrets.put(DatabaseUser.READER, secret(DatabaseUser.READER).attach(cluster));
        secrets.put(DatabaseUser.WRITER, secret(DatabaseUser.WRITER).attach(cluster));
        secrets.put(DatabaseUser.APPLICATION, secret(DatabaseUser.APPLICATION).attach(cluster));

        var application = new Application(this, network, key);
        cluster.getConnections().allowFrom(application.group(), Port.POSTGRES, "application of this shard");
        // its first task migrates the database
        application.service().getNode().addDependency(cluster);
    }

    /**
     * Adds secrets in the form of those of a created database. The administrator's names the existing secret that has the user and
     * password, as in secrets of RDS; the password that it gets here is not used.
     */
    private void addLogins(ExistingDatabase database) {
        for (var user : List.of(DatabaseUser.ADMIN, DatabaseUser.READER, DatabaseUser.WRITER)) {
            var login = new TreeMap<String, Object>(
                    Map.of("engine", "postgres", "host", database.host(), "port", database.port(), "dbname", database.name()));
            if (user == DatabaseUser.ADMIN) login.put("masterarn", database.secret());
            else login.put("username", Names.databaseUser(shard.name(), user));
            database.ca().ifPresent(ca -> login.put("sslrootcert", read(ca)));
            var secret = Secret.Builder.create(this, user.title() + "Secret").secretName(Names.secret(shard.name(), user))
                    .encryptionKey(key)
                    .generateSecretString(
                            SecretStringGenerator.builder().secretStringTemplate(JsonMapper.shared().writeValueAsString(login))
                                    .generateStringKey("password").passwordLength(32).excludePunctuation(true).build())
                    .build();
            protect(secret);
            secrets.put(user, secret);
        }
    }

    private String read(Path ca) {
        try {
            return Files.readString(ca);
        } catch (IOException e) {
            throw new UncheckedIOException("the CA certificate of the database of %s cannot be read".formatted(shard.name()), e);
        }
    }

    /**
     * Exports the values even if no stack imports them today. Otherwise a shard that stops being a source or target could not be deployed:
     * it would remove exports that the stack deployed after it still imports.
     */
    private void exportAlways(String... values) {
        for (var value : values) {
            exportValue(value);
        }
    }

    Shard shard() {
        return shard;
    }

    private String secretArn(DatabaseUser user) {
        return secretOf(user).getSecretArn();
    }

    ISecret secretOf(DatabaseUser user) {
        return secrets.get(user);
    }

    /**
     * Allows the grantee to log in as this user. {@code Secret.grantRead} would add the grantee to the key's policy, and a grantee of
     * another stack would make the two stacks depend on each other.
     */
    void grantSecret(DatabaseUser user, IGrantable grantee) {
        Grant.addToPrincipal(GrantOnPrincipalOptions.builder()
                .grantee(grantee).actions(List.of("secretsmanager:GetSecretValue")).resourceArns(List.of(secretOf(user).getSecretArn()))
                .build())
                .assertSuccess();
        key.grantDecrypt(grantee);
    }

    private DatabaseSecret secret(DatabaseUser user) {
        var secret = DatabaseSecret.Builder.create(this, user.title() + "Secret")
                .secretName(Names.secret(shard.name(), user))
                .username(Names.databaseUser(shard.name(), user))
                .encryptionKey(key).build();
        protect(secret);
        return secret;
    }

    private void protect(Secret secret) {
        secret.applyRemovalPolicy(props().protection().data());
        Accepted.finding(secret, "AwsSolutions-SMG4", "AWS's rotation functions need internet access and its repository of serverless "
                + "applications. A password is renewed by setting a new value and invoking prepare-database or redeploying the "
                + "application.");
    }

    private DatabaseCluster cluster(NetworkStack network, DatabaseSecret admin) {
        var group = SecurityGroup.Builder.create(this, "DatabaseGroup").vpc(network.vpc()).description("Database of " + shard.name())
                .allowAllOutbound(false).build();
        group.addIngressRule(network.databaseClients(), Port.POSTGRES, "functions of this account");
        // otherwise RDS creates this group itself, without encryption and retention; its name requires a fixed name of the cluster
        var logs = network.logGroup(this, "DatabaseLogs", "/aws/rds/cluster/" + Names.cluster(shard.name()) + "/postgresql");
        var cluster = DatabaseCluster.Builder.create(this, "Database")
                .clusterIdentifier(Names.cluster(shard.name()))
                .engine(engine())
                // the version is lockstep.yaml's, so that qa has an upgrade before production
                .autoMinorVersionUpgrade(false)
                .preferredMaintenanceWindow(props().protection().maintenance())
                .writer(ClusterInstance.serverlessV2("Writer",
                        instance().build()))
                .readers(hasReader() ? List.of(ClusterInstance.serverlessV2("Reader",
                        instance().scaleWithWriter(true).build())) : List.of())
                .serverlessV2MinCapacity(props().protection().minCapacity())
                .serverlessV2MaxCapacity(4)
                .credentials(Credentials.fromSecret(admin, Names.databaseUser(shard.name(), DatabaseUser.ADMIN)))
                .defaultDatabaseName(Names.database(shard.name()))
                .parameters(Map.of("rds.force_ssl", "1"))
                .vpc(network.vpc())
                .vpcSubnets(SubnetSelection.builder().subnetType(SubnetType.PRIVATE_ISOLATED).build())
                .securityGroups(List.of(group))
                .storageEncrypted(true)
                .storageEncryptionKey(key)
                .cloudwatchLogsExports(List.of("postgresql"))
                .backup(BackupProps.builder().retention(Duration.days(props().protection().backupDays())).preferredWindow("00:30-01:00")
                        .build())
                .deletionProtection(props().protection().deletion())
                .removalPolicy(props().protection().database())
                .build();
        cluster.getNode().addDependency(logs);
        Accepted.finding(cluster, "AwsSolutions-RDS6",
                "Users log in with passwords from Secrets Manager, which works with any PostgreSQL server");
        Accepted.finding(cluster, "AwsSolutions-RDS11", "The port is open to one security group; a different number would hide nothing");
        if (props().protection().deletion()) {
            ((CfnDBCluster) cluster.getNode().getDefaultChild()).addPropertyOverride("DeletionProtection",
                    Map.of("Ref", Protection.parameter(this).getLogicalId()));
        } else {
            Accepted.finding(cluster, "AwsSolutions-RDS10",
                    "Demo and qa are created and deleted at will; a sync restores everything they hold");
        }
        return cluster;
    }

    private IClusterEngine engine() {
        var version = shard.postgres();
        return DatabaseClusterEngine.auroraPostgres(AuroraPostgresClusterEngineProps.builder()
                .version(AuroraPostgresEngineVersion.of(version, version.substring(0, version.indexOf('.')))).build());
    }

    private ServerlessV2ClusterInstanceProps.Builder instance() {
        return ServerlessV2ClusterInstanceProps.builder().publiclyAccessible(false).autoMinorVersionUpgrade(false)
                .preferredMaintenanceWindow(props().protection().maintenance());
    }

    /** Without one, a failure of the instance or its zone means minutes without a database. */
    private boolean hasReader() {
        return shard.reader().orElse(props().account().purpose() == Purpose.PRODUCTION);
    }
}
