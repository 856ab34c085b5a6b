package lockstep.landscape;

/**
 * The physical names that another account, the CLI or an operator must know. CloudFormation names everything else.
 * All methods are pure functions. ARNs are in the partition of their region.
 */
public final class Names {
    /** Object in a proxy's settings bucket: the CA that signs client certificates, as PEM. */
    public static final String CLIENT_AUTHORITY = "client-authority.pem";
    /** Object in a proxy's settings bucket: the certificate revocation list of that CA, as PEM. */
    public static final String REVOCATION_LIST = "revoked.pem";
    /** Object in a proxy's settings bucket: a JSON merge patch (RFC 7386) to the deployed routes. Optional. */
    public static final String ROUTES_OVERRIDES = "routes.json";
    /** The alias of each independently versioned function. It shifts to a new version in steps. */
    public static final String LIVE = "live";

    /** Metric: for how many seconds an account has not run the same release as the others. */
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

    /** The private DNS zone of an account's network, in which the shards are registered. */
    public static String privateZone(Account account, Product product) {
        return account.network().flatMap(ExistingNetwork::namespace).map(ExistingNetwork.Namespace::name)
                .orElse(product.name() + ".internal");
    }

    /** The URL at which the account's proxies reach a shard's application. */
    public static String upstream(Account account, Product product, String shard) {
        return "https://%s.%s:%d".formatted(shard, privateZone(account, product), product.port());
    }

    public static String sourceStack(String account) {
        return account + "-master-data-source";
    }

    public static String targetStack(String account) {
        return account + "-master-data-target";
    }

    public static String shardFunctionsStack(String account) {
        return account + "-functions";
    }

    public static String deliveryStack(String account) {
        return account + "-delivery";
    }

    /** The bucket of an account's releases and deploy log. */
    public static String releases(String accountId, String region) {
        return "lockstep-%s-%s-releases".formatted(accountId, region);
    }

    /** The topic of alarms, failures and deployments in an account. */
    public static String operationsTopic() {
        return "lockstep_operations";
    }

    /** The metrics namespace of an account's deployments. */
    public static String deliveryMetrics() {
        return "Lockstep/delivery";
    }

    /** The role that deploys releases into its account. Jobs of the protected branch assume it with their ID token. */
    public static String deployRole() {
        return "lockstep-deploy";
    }

    /** The role that may assume the roles that start and follow syncs. Jobs of the protected branch assume it with their ID token. */
    public static String syncRole() {
        return "lockstep-sync";
    }

    /** The role that may start and follow syncs and nothing else. Jobs of other repositories assume it with their ID token. */
    public static String syncOnlyRole() {
        return "lockstep-sync-only";
    }

    /** The role that reads the templates deployed in its account. Jobs of any branch assume it with their ID token. */
    public static String diffRole() {
        return "lockstep-diff";
    }

    /** A role that {@code cdk bootstrap} creates. */
    public static String bootstrapRole(String purpose, String accountId, String region) {
        return "cdk-hnb659fds-%s-role-%s-%s".formatted(purpose, accountId, region);
    }

    /** In a source account: the bucket of all its data sets, with a prefix for each. */
    public static String bucket(String accountId, String region) {
        return "lockstep-%s-%s-master-data".formatted(accountId, region);
    }

    /** In a source account: announces new manifests of all its data sets. */
    public static String topic() {
        return "lockstep-master-data";
    }

    /** The external id with which the targets' workers assume the reader role of a source account. */
    public static String externalId(String sourceAccount) {
        return "lockstep-" + sourceAccount;
    }

    /** In a source account: dumps a data set. */
    public static String dumpMachine() {
        return "lockstep-dump";
    }

    /** In a source account: imports a code list. */
    public static String importMachine() {
        return "lockstep-import";
    }

    /** In a source account: starts syncs automatically. */
    public static String startMachine() {
        return "lockstep-start";
    }

    /** In a target account: restores a data set into its shards. */
    public static String restoreMachine() {
        return "lockstep-restore";
    }

    /** In a target account: watches its shards. */
    public static String watchMachine() {
        return "lockstep-watch";
    }

    /**
     * The name of an execution that works for a data set. The machines serve all data sets of an account, and two of them may use one id.
     */
    public static String execution(String dataSet, String id) {
        return dataSet + "." + id;
    }

    /** The ARN of the state machine's execution with this name. */
    public static String executionArn(String machineArn, String name) {
        return machineArn.replace(":stateMachine:", ":execution:") + ":" + name;
    }

    /** In a source account: signs manifests. */
    public static String signingKeyAlias() {
        return "alias/lockstep-signing";
    }

    /** The dashboard of the data that an account's shards receive. */
    public static String dashboard() {
        return "lockstep-master-data";
    }

    /** The namespace of a data set's metrics in an account ({@link DataSetMetric}). They have no dimensions. */
    public static String metrics(String dataSet) {
        return "Lockstep/" + dataSet;
    }

    /** The namespace of a shard's metrics ({@link ShardMetric}). They have no dimensions. */
    public static String metrics(String dataSet, String shard) {
        return "Lockstep/%s/%s".formatted(dataSet, shard);
    }

    /** The namespace of metrics derived from the log of a shard's application. */
    public static String applicationMetrics(String shard) {
        return "Lockstep/application/" + shard;
    }

    /** The namespace of metrics derived from the logs of an account's proxy of the production edition. */
    public static String proxyMetrics() {
        return "Lockstep/proxy";
    }

    /** In a source account: reads manifests and parts. */
    public static String readerRole() {
        return "lockstep-reader";
    }

    /** In a source account: starts dumps and follows them. */
    public static String syncStartRole() {
        return "lockstep-sync-start";
    }

    /** In a source account: approves and rejects held syncs. */
    public static String approveRole() {
        return "lockstep-approve";
    }

    /** In a source account: uploads code list files and imports them. */
    public static String importRole() {
        return "lockstep-import";
    }

    /** In a target account: restores shards. Only this role and the watch's may assume the reader role. */
    public static String workerRole() {
        return "lockstep-worker";
    }

    /** In a target account: the role of the watch, which reads manifests by assuming the reader role. */
    public static String watchRole() {
        return "lockstep-watch";
    }

    /** In a target account: follows restores. */
    public static String observerRole() {
        return "lockstep-observer";
    }

    /** In a target account: starts restores, for rollbacks and canaries, and follows them. */
    public static String restoreStartRole() {
        return "lockstep-restore-start";
    }

    /** Creates the logins of a shard of its account. */
    public static String prepareDatabase() {
        return "lockstep-prepare-database";
    }

    /** Reports on a shard of its account. */
    public static String reportStatus() {
        return "lockstep-report-status";
    }

    public static String secret(String shard, DatabaseUser user) {
        return "lockstep/%s/%s".formatted(shard, user.word());
    }

    public static String cluster(String shard) {
        return "lockstep-" + shard;
    }

    /** {@code demo_1} for the shard {@code demo-1}. */
    public static String database(String shard) {
        return shard.replace('-', '_');
    }

    public static String databaseUser(String shard, DatabaseUser user) {
        return database(shard) + "_" + user.word();
    }

    /** The partition of a region: {@code aws}, {@code aws-cn} or {@code aws-us-gov}. No account reaches one of another partition. */
    public static String partition(String region) {
        return region.startsWith("cn-") ? "aws-cn" : region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
    }

    /** The domain of AWS's services in a region. */
    public static String domain(String region) {
        return region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
    }

    public static String arn(String service, String region, String accountId, String resource) {
        return "arn:%s:%s:%s:%s:%s".formatted(partition(region), service, region, accountId, resource);
    }

    /** The ARN of something in IAM or STS, which has no region. @param region a region of the account */
    public static String globalArn(String service, String region, String accountId, String resource) {
        return "arn:%s:%s::%s:%s".formatted(partition(region), service, accountId, resource);
    }

    /** @param region a region of the account, which decides on the partition */
    public static String roleArn(String region, String accountId, String role) {
        return globalArn("iam", region, accountId, "role/" + role);
    }

    public static String topicArn(String region, String accountId, String topic) {
        return arn("sns", region, accountId, topic);
    }

    /** @param alias with its prefix {@code alias/} */
    public static String keyAliasArn(String region, String accountId, String alias) {
        return arn("kms", region, accountId, alias);
    }

    public static String functionArn(String region, String accountId, String function) {
        return arn("lambda", region, accountId, "function:" + function);
    }

    /** @param kind {@code stateMachine}, {@code execution} or {@code mapRun} */
    public static String statesArn(String region, String accountId, String kind, String name) {
        return arn("states", region, accountId, kind + ":" + name);
    }
}
