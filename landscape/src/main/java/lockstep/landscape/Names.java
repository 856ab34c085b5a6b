package lockstep.landscape;

/**
 * The physical names that another account, the CLI or an operator must know. Everything else is named by CloudFormation.
 * Pure functions, for the partition {@code aws}.
 */
public final class Names {
    /** Object of a proxy's settings bucket: PEM, who signs the certificates of clients. */
    public static final String CLIENT_AUTHORITY = "client-authority.pem";
    /** Object of a proxy's settings bucket: PEM, the certificate revocation list of that authority. */
    public static final String REVOCATION_LIST = "revoked.pem";
    /** Object of a proxy's settings bucket: a JSON merge patch (RFC 7386) on top of the routes that were deployed; may be absent. */
    public static final String ROUTES_OVERRIDES = "routes.json";
    /** The alias of each function that answers by itself: it moves to a new version in steps. */
    public static final String LIVE = "live";

    /** Seconds for which an account and others that should run the same release have not. */
    public static final String RELEASES_APART = "ReleasesApart";

    private Names() {}

    public static String networkStack(String account) {
        return account + "-network";
    }

    public static String shardStack(String account, String shard) {
        return account + "-shard-" + shard;
    }

    public static String proxyStack(String account, Edition edition) {
        return account + "-" + edition.word() + "-proxy";
    }

    /** The cluster of an account's services. */
    public static String serviceCluster(String account) {
        return "lockstep-" + account;
    }

    /** The private DNS zone of an account's network, where the shards find each other by name. */
    public static String privateZone(String product) {
        return product + ".internal";
    }

    /** Where the proxies of the account reach a shard's application. */
    public static String upstream(String product, String shard) {
        return "https://%s.%s:8443".formatted(shard, privateZone(product));
    }

    public static String sourceStack(String account) {
        return account + "-master-data-source";
    }

    public static String targetStack(String account) {
        return account + "-master-data-target";
    }

    public static String deliveryStack(String account) {
        return account + "-delivery";
    }

    /** Keeps the releases of an account and its deploy log. No data set's bucket can have this name: a data set's begins with a letter. */
    public static String releases(String accountId, String region) {
        return "lockstep-%s-%s-releases".formatted(accountId, region);
    }

    /** Where an account's operators hear of alarms, failures and deployments. No data set's topic can have this name: theirs have no underscore. */
    public static String operationsTopic() {
        return "lockstep_operations";
    }

    /** The namespace of what deployments measure in an account. */
    public static String deliveryMetrics() {
        return "Lockstep/delivery";
    }

    /** Deploys releases into its account. A job of the protected branch becomes it by its token. */
    public static String deployRole() {
        return "lockstep-deploy";
    }

    /** Becomes the roles that start and follow syncs in its account. A job of the protected branch becomes it by its token. */
    public static String syncRole() {
        return "lockstep-sync";
    }

    /** Reads the templates that are deployed in its account. A job of any branch becomes it by its token. */
    public static String diffRole() {
        return "lockstep-diff";
    }

    /** A role that {@code cdk bootstrap} has made. */
    public static String bootstrapRole(String purpose, String accountId, String region) {
        return "cdk-hnb659fds-%s-role-%s-%s".formatted(purpose, accountId, region);
    }

    public static String bucket(String dataSet, String accountId, String region) {
        return "lockstep-%s-%s-%s".formatted(dataSet, accountId, region);
    }

    public static String topic(String dataSet) {
        return "lockstep-" + dataSet;
    }

    /** What a target's worker says when it assumes the reader role. */
    public static String externalId(String dataSet) {
        return "lockstep-" + dataSet;
    }

    public static String dumpMachine(String dataSet) {
        return "lockstep-" + dataSet + "-dump";
    }

    public static String restoreMachine(String dataSet) {
        return "lockstep-" + dataSet + "-restore";
    }

    public static String importMachine(String dataSet) {
        return "lockstep-" + dataSet + "-import";
    }

    public static String signingKeyAlias(String dataSet) {
        return "alias/lockstep-" + dataSet + "-signing";
    }

    /** In the source account: starts syncs without a person. */
    public static String startMachine(String dataSet) {
        return "lockstep-" + dataSet + "-start";
    }

    /** The execution of a state machine that has this name. */
    public static String execution(String machineArn, String name) {
        return machineArn.replace(":stateMachine:", ":execution:") + ":" + name;
    }

    /** In a target account: looks after its shards. */
    public static String watchMachine(String dataSet) {
        return "lockstep-" + dataSet + "-watch";
    }

    /** In a target account: the role of the watch, which reads manifests by assuming the reader role. */
    public static String watchRole(String dataSet) {
        return "lockstep-" + dataSet + "-watch";
    }

    /** The dashboard of the shards of an account that receive the data set. */
    public static String dashboard(String dataSet) {
        return "lockstep-" + dataSet;
    }

    /** The namespace of a shard's metrics ({@link ShardMetric}). They have no dimensions. */
    public static String metrics(String dataSet, String shard) {
        return "Lockstep/%s/%s".formatted(dataSet, shard);
    }

    /** The namespace of what a shard's application logs. */
    public static String applicationMetrics(String shard) {
        return "Lockstep/application/" + shard;
    }

    /** In the source account: reads manifests and parts. */
    public static String readerRole(String dataSet) {
        return "lockstep-" + dataSet + "-reader";
    }

    /** In the source account: starts a dump and follows it. */
    public static String syncStartRole(String dataSet) {
        return "lockstep-" + dataSet + "-sync-start";
    }

    /** In the source account: puts files of code lists and has them imported. */
    public static String importRole(String dataSet) {
        return "lockstep-" + dataSet + "-import";
    }

    /** In a target account: the only role that may assume the reader role. */
    public static String workerRole(String dataSet) {
        return "lockstep-" + dataSet + "-worker";
    }

    /** In a target account: follows restores. */
    public static String observerRole(String dataSet) {
        return "lockstep-" + dataSet + "-observer";
    }

    /** In a target account: starts restores, to roll back or to try, and follows them. */
    public static String restoreStartRole(String dataSet) {
        return "lockstep-" + dataSet + "-restore-start";
    }

    public static String secret(String shard, DatabaseUser user) {
        return "lockstep/%s/%s".formatted(shard, user.word());
    }

    public static String prepareDatabase(String shard) {
        return "lockstep-" + shard + "-prepare-database";
    }

    public static String reportStatus(String shard) {
        return "lockstep-" + shard + "-report-status";
    }

    public static String cluster(String shard) {
        return "lockstep-" + shard;
    }

    /** {@code clinic_1} for the shard {@code clinic-1}. */
    public static String database(String shard) {
        return shard.replace('-', '_');
    }

    public static String databaseUser(String shard, DatabaseUser user) {
        return database(shard) + "_" + user.word();
    }

    public static String roleArn(String accountId, String role) {
        return "arn:aws:iam::%s:role/%s".formatted(accountId, role);
    }

    public static String topicArn(String region, String accountId, String topic) {
        return "arn:aws:sns:%s:%s:%s".formatted(region, accountId, topic);
    }

    /** @param alias with its prefix {@code alias/} */
    public static String keyAliasArn(String region, String accountId, String alias) {
        return "arn:aws:kms:%s:%s:%s".formatted(region, accountId, alias);
    }

    public static String functionArn(String region, String accountId, String function) {
        return "arn:aws:lambda:%s:%s:function:%s".formatted(region, accountId, function);
    }

    /** @param kind {@code stateMachine}, {@code execution} or {@code mapRun} */
    public static String statesArn(String region, String accountId, String kind, String name) {
        return "arn:aws:states:%s:%s:%s:%s".formatted(region, accountId, kind, name);
    }
}
