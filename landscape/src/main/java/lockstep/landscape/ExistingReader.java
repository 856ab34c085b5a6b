package lockstep.landscape;

import static lockstep.landscape.YamlValue.quote;

import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import lockstep.landscape.YamlValue.Field;
import lockstep.landscape.YamlValue.Format;

/** Reads what exists already: databases of shards, sources of migrations, and networks. */
final class ExistingReader {
    static final List<Field> DATABASE = List.of(
            new Field("host", true, "shop.cluster-abc123.eu-central-1.rds.amazonaws.com"),
            new Field("port", false, "5432"),
            new Field("name", true, "shop"),
            new Field("secret", true, "arn:aws:secretsmanager:eu-central-1:222222222222:secret:shop-admin-AbCdEf"),
            new Field("ca", false, "server-ca.pem"),
            new Field("local", false, "{url: \"postgresql://postgres@localhost:5432/shop\", passwordFile: shop.password}"),
            new Field("localSchema", false, "schema.sql"));
    static final List<Field> LOCAL = List.of(
            new Field("url", true, "postgresql://postgres@localhost:5432/shop"),
            new Field("passwordFile", true, "shop.password"),
            new Field("ca", false, "server-ca.pem"));
    static final List<Field> SOURCE = List.of(
            new Field("engine", true, "mysql"),
            new Field("host", true, "old.cluster-abc123.eu-central-1.rds.amazonaws.com"),
            new Field("replica", false, "old.cluster-ro-abc123.eu-central-1.rds.amazonaws.com"),
            new Field("port", false, "3306"),
            new Field("name", true, "old"),
            new Field("secret", true, "arn:aws:secretsmanager:eu-central-1:222222222222:secret:old-reader-AbCdEf"),
            new Field("ca", false, "server-ca.pem"),
            new Field("local", false, "[./generate, \"100000\"]"));
    static final List<Field> NETWORK = List.of(
            new Field("vpc", true, "vpc-0123456789abcdef0"),
            new Field("cidr", true, "10.20.0.0/16"),
            new Field("subnets", true, "{eu-central-1a: subnet-0123456789abcdef0, eu-central-1b: subnet-0123456789abcdef1}"),
            new Field("publicSubnets", false, "{eu-central-1a: subnet-0123456789abcdef2, eu-central-1b: subnet-0123456789abcdef3}"),
            new Field("routeTables", false, "[rtb-0123456789abcdef0, rtb-0123456789abcdef1]"),
            new Field("endpoints", false, "[s3, secretsmanager]"),
            new Field("securityGroup", false, "sg-0123456789abcdef0"),
            new Field("namespace", false, "{id: ns-0123456789abcdef, name: shop.internal}"));
    static final List<Field> NAMESPACE = List.of(
            new Field("id", true, "ns-0123456789abcdef"),
            new Field("name", true, "shop.internal"));

    private static final String PORTS = "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";
    static final Format DATABASE_HOST = new Format("(?!localhost$|127\\.)[a-z0-9]([a-z0-9.-]{0,198}[a-z0-9])?",
            "a host name or address that the account's network resolves",
            "write it like shop.cluster-abc123.eu-central-1.rds.amazonaws.com; a database of this machine belongs in 'local'");
    static final Format DATABASE_PORT = new Format(PORTS, "a port from 1 to 65535", "write it like 5432");
    static final Format DATABASE_NAME = new Format("[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}",
            "the name of a database: at most 63 letters, digits and _.-", "write it like shop");
    static final Format SECRET = new Format("arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+-[A-Za-z0-9]{6}",
            "the complete ARN of a secret",
            "write it like arn:aws:secretsmanager:eu-central-1:222222222222:secret:shop-admin-AbCdEf");
    static final Format LOCAL_URL = new Format(
            "postgresql://[A-Za-z0-9_.-]{1,63}@(localhost|127\\.0\\.0\\.1):" + PORTS + "/[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}",
            "the URL of a database on this machine, with its administrator but without a password",
            "write it like postgresql://postgres@localhost:5432/shop, and put the password into the file 'passwordFile'");
    static final Format VPC = id("vpc", "a VPC");
    static final Format SUBNET = id("subnet", "a subnet");
    static final Format ROUTE_TABLE = id("rtb", "a route table");
    static final Format GROUP = id("sg", "a security group");
    static final Format CIDR = new Format("([0-9]{1,3}\\.){3}[0-9]{1,3}/(1[6-9]|2[0-8])", "the range of IPv4 addresses of a VPC",
            "write it like 10.20.0.0/16");
    static final Format ZONE = new Format("[a-z]{2,4}(-[a-z]+)+-[1-9][a-z]", "an availability zone", "write it like eu-central-1a");
    static final Format ENDPOINT = new Format("s3|secretsmanager|sts|kms|ecr\\.api|ecr\\.dkr|states|logs|sns",
            "a service for which Lockstep creates an endpoint",
            "write s3, secretsmanager, sts, kms, ecr.api, ecr.dkr, states, logs or sns, or remove it");
    static final Format NAMESPACE_ID = new Format("ns-[a-z0-9]{8,40}", "the id of a Cloud Map namespace",
            "write it like ns-0123456789abcdef");

    private static Format id(String prefix, String what) {
        return new Format(prefix + "-[0-9a-f]{8,17}", "the id of " + what, "write it like " + prefix + "-0123456789abcdef0");
    }

    /** The first use of a thing that another account or shard must not use. */
    private record Use(String account, String shard, int line) {}

    private final Path directory;
    private final Map<String, Use> byServer = new HashMap<>();
    private final Map<String, Use> byDatabase = new HashMap<>();
    private final Map<String, Use> byVpc = new HashMap<>();

    /** @param directory the directory of the file, to which paths are relative */
    ExistingReader(Path directory) {
        this.directory = directory;
    }

    /** Reads the database of a shard; empty if none is given. */
    Optional<ExistingDatabase> database(YamlValue value, String shard, String account, Optional<String> accountId) {
        if (!value.isGiven()) return Optional.empty();
        var fields = value.fields(DATABASE);
        String host = fields.get("host").text(DATABASE_HOST).orElse("");
        int port = port(fields.get("port"), MigrationSource.Engine.POSTGRES);
        String name = fields.get("name").text(DATABASE_NAME).orElse("");
        var use = new Use(account, shard, value.line());
        // logins belong to a server, so whoever administers it reaches all of its databases
        var other = byServer.putIfAbsent(host, use);
        if (!host.isEmpty() && other != null && !other.account.equals(account)) {
            fields.get("host").problem(quote(host) + " is also the server of shard " + other.shard + " of account " + other.account
                    + " in line " + other.line, "give each account a server of its own");
        }
        checkUnique(fields.get("name"), host + ":" + port + "/" + name, use);
        String secret = secret(fields.get("secret"), account, accountId);
        if (fields.get("local").isGiven() && fields.get("localSchema").isGiven())
            fields.get("localSchema").problem("the local cloud uses the database of 'local'", "remove one of the two");
        return Optional.of(new ExistingDatabase(host, port, name, secret, path(fields.get("ca")), local(fields.get("local"), use),
                path(fields.get("localSchema"))));
    }

    /** Reads the source of a migration into a shard of an account with this id, empty if that is unknown. */
    MigrationSource source(YamlValue value, String account, Optional<String> accountId) {
        var fields = value.fields(SOURCE);
        var engine = fields.get("engine").choice(MigrationSource.Engine.class).orElse(MigrationSource.Engine.MYSQL);
        return new MigrationSource(engine, fields.get("host").text(DATABASE_HOST).orElse(""), fields.get("replica").text(DATABASE_HOST),
                port(fields.get("port"), engine),
                fields.get("name").text(DATABASE_NAME).orElse(""), secret(fields.get("secret"), account, accountId),
                path(fields.get("ca")), LandscapeReader.words(fields.get("local")));
    }

    private static String secret(YamlValue value, String account, Optional<String> accountId) {
        String secret = value.text(SECRET).orElse("");
        if (!secret.isEmpty() && accountId.filter(id -> !secret.split(":")[4].equals(id)).isPresent())
            value.problem(quote(secret) + " is not a secret of account " + account,
                    "copy it into that account, because no account may read secrets of another");
        return secret;
    }

    private Optional<ExistingDatabase.Local> local(YamlValue value, Use use) {
        if (!value.isGiven()) return Optional.empty();
        var fields = value.fields(LOCAL);
        var url = fields.get("url").text(LOCAL_URL).map(URI::create);
        url.ifPresent(given -> checkUnique(fields.get("url"), given.getPort() + given.getPath(), use));
        return url.map(given -> new ExistingDatabase.Local(given.getHost(), given.getPort(), given.getPath().substring(1),
                given.getUserInfo(), path(fields.get("passwordFile")).orElse(directory), path(fields.get("ca"))));
    }

    private void checkUnique(YamlValue field, String database, Use use) {
        var other = byDatabase.putIfAbsent(database, use);
        if (other != null)
            field.problem("this is already the database of shard " + other.shard + " in line " + other.line,
                    "give each shard a database of its own");
    }

    private static int port(YamlValue value, MigrationSource.Engine engine) {
        return value.text(DATABASE_PORT).map(Integer::parseInt).orElse(engine.port());
    }

    private Optional<Path> path(YamlValue value) {
        return value.text(LandscapeReader.PATH).map(path -> directory.resolve(path).normalize());
    }

    /** Reads the network of an account; empty if none is given. @param proxies whether the account has load balancers */
    Optional<ExistingNetwork> network(YamlValue value, String account, boolean proxies) {
        if (!value.isGiven()) return Optional.empty();
        var fields = value.fields(NETWORK);
        var vpc = fields.get("vpc").text(VPC);
        vpc.map(id -> byVpc.putIfAbsent(id, new Use(account, "", value.line()))).ifPresent(other -> fields.get("vpc").problem(
                quote(vpc.get()) + " is already the network of account " + other.account + " in line " + other.line,
                "give each account a network of its own"));
        var subnets = subnets(fields.get("subnets"));
        if (fields.get("subnets").isGiven() && subnets.size() < 2)
            fields.get("subnets").problem("there are fewer than two zones", "name a private subnet in each of at least two zones");
        var open = subnets(fields.get("publicSubnets"));
        if (proxies && !fields.get("publicSubnets").isGiven())
            value.problem("'publicSubnets' is missing", "add publicSubnets: the subnets of the proxies' load balancers, by zone");
        if (fields.get("publicSubnets").isGiven() && !open.keySet().equals(subnets.keySet()))
            fields.get("publicSubnets").problem("its zones are not those of 'subnets'", "name one subnet in each of the same zones");
        var endpoints = texts(fields.get("endpoints"), ENDPOINT);
        var routeTables = texts(fields.get("routeTables"), ROUTE_TABLE);
        if (!endpoints.contains("s3") && routeTables.size() != subnets.size())
            value.problem("the endpoint of S3 needs the route table of each subnet, but 'routeTables' has " + routeTables.size() + " for "
                    + subnets.size() + " subnets", "list them in the order of the subnets, or add s3 to 'endpoints' if there is one");
        return Optional.of(new ExistingNetwork(vpc.orElse(""), fields.get("cidr").text(CIDR).orElse(""), subnets, open, routeTables,
                endpoints, fields.get("securityGroup").text(GROUP), namespace(fields.get("namespace"))));
    }

    private static Map<String, String> subnets(YamlValue value) {
        var subnets = new LinkedHashMap<String, String>();
        value.entries(ZONE, "{eu-central-1a: subnet-0123456789abcdef0}")
                .forEach((zone, subnet) -> subnet.text(SUBNET).ifPresent(id -> subnets.put(zone, id)));
        return subnets;
    }

    private static List<String> texts(YamlValue value, Format format) {
        var texts = new ArrayList<String>();
        value.items().forEach(item -> item.text(format).ifPresent(texts::add));
        return texts;
    }

    private static Optional<ExistingNetwork.Namespace> namespace(YamlValue value) {
        if (!value.isGiven()) return Optional.empty();
        var fields = value.fields(NAMESPACE);
        return Optional.of(new ExistingNetwork.Namespace(fields.get("id").text(NAMESPACE_ID).orElse(""),
                fields.get("name").text(LandscapeReader.HOST).orElse("")));
    }
}
