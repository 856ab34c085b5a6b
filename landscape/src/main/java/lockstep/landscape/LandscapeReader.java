package lockstep.landscape;

import static lockstep.landscape.YamlValue.quote;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Collectors;
import lockstep.landscape.YamlValue.Field;
import lockstep.landscape.YamlValue.Format;

/** Reads lockstep.yaml. Its fields, choices and patterns are repeated in lockstep.schema.json for editors; a test compares them. */
public final class LandscapeReader {
    private static final String PRODUCT_EXAMPLE = "{name: shop, build: image, port: 8443, health: /health, commands: {serve: [serve], "
            + "migrate: [migrate]}}";

    private static final String DATA_SET_EXAMPLE = "{source: shop-1, tables: {master.drug: {key: [id], columns: [id, name]}}}";
    private static final String SOURCE_EXAMPLE = "{engine: mysql, host: old.shop.example, name: old, secret: "
            + "\"arn:aws:secretsmanager:eu-central-1:222222222222:secret:old-reader-AbCdEf\"}";
    private static final String MIGRATION_EXAMPLE = "{target: shop-1, source: " + SOURCE_EXAMPLE + "}";

    static final List<Field> LANDSCAPE = List.of(
            new Field("product", false, PRODUCT_EXAMPLE),
            new Field("release", true, "\"1.0.0\""),
            new Field("region", true, "eu-central-1"),
            new Field("accounts", true, "{demo: {id: \"222222222222\", purpose: demo, shards: {demo-1: {edition: demo}}}}"),
            new Field("dataSets", false, "{master: " + DATA_SET_EXAMPLE + "}"),
            new Field("differences", false, "[{what: [shard.Database.DeletionProtection], reason: why, check: what to try}]"),
            new Field("delivery", false, "{gitlab: \"https://gitlab.example.com\", project: group/lockstep, ref: main}"),
            new Field("migrations", false, "{claims: " + MIGRATION_EXAMPLE + "}"));
    static final List<Field> PRODUCT = List.of(
            new Field("name", true, "shop"),
            new Field("directory", false, "., to which the paths here are relative"),
            new Field("build", false, "image, a directory with a Dockerfile"),
            new Field("image", false, "222222222222.dkr.ecr.eu-central-1.amazonaws.com/shop:1.0.0"),
            new Field("port", true, "8443"),
            new Field("health", true, "/health"),
            new Field("commands", true, "{serve: [serve], migrate: [migrate]}"),
            new Field("features", false, "features.json"),
            new Field("migrations", false, "migrations"),
            new Field("test", false, "[./test-schema]"));
    static final List<Field> COMMANDS = List.of(
            new Field("serve", true, "[serve]"),
            new Field("migrate", true, "[migrate]"),
            new Field("addUser", false, "[add-user, \"{customer}\", \"{user}\"]"),
            new Field("build", false, "[./build]"),
            new Field("seed", false, "[./seed]"));
    static final List<Field> ACCOUNT = List.of(
            new Field("id", true, "\"222222222222\""),
            new Field("purpose", true, "production, demo or qa"),
            new Field("shards", true, "{demo-1: {edition: demo}}"),
            new Field("proxies", false, "{demo: {host: demo.shop.example}}"),
            new Field("limits", false, "{functions: 10, connections: 8}"),
            new Field("region", false, "eu-central-1"),
            new Field("zones", false, "[eu-central-1a, eu-central-1b]"),
            new Field("network", false,
                    "{vpc: vpc-0123456789abcdef0, cidr: 10.20.0.0/16, subnets: {eu-central-1a: subnet-0123456789abcdef0, "
                            + "eu-central-1b: subnet-0123456789abcdef1}, endpoints: [s3]}"));
    static final List<Field> LIMITS = List.of(
            new Field("functions", false, "10"),
            new Field("connections", false, "8"),
            new Field("functionMinutes", false, "5"));
    static final List<Field> SHARD = List.of(
            new Field("edition", true, "production or demo"),
            new Field("tenantsExpireAfter", false, "7d"),
            new Field("reader", false, "true"),
            new Field("postgres", false, "\"17.9\""),
            new Field("database", false, "{host: shop.cluster-abc123.eu-central-1.rds.amazonaws.com, name: shop, secret: "
                    + "\"arn:aws:secretsmanager:eu-central-1:222222222222:secret:shop-admin-AbCdEf\"}"));
    static final List<Field> PROXY = List.of(
            new Field("host", true, "demo.shop.example"),
            new Field("certificate", false, "arn:aws:acm:eu-central-1:222222222222:certificate/00000000-0000-0000-0000-000000000000"),
            new Field("signUp", false, "open or closed"),
            new Field("banner", false, "\"Please do not enter real patients' data.\""),
            new Field("rateLimit", false, "20"));
    static final List<Field> DATA_SET = List.of(
            new Field("source", true, "shop-1"),
            new Field("tables", true, "{master.drug: {key: [id], columns: [id, name]}}"),
            new Field("keep", false, "{manifests: 30, days: 90}"),
            new Field("triggers", false, "run"),
            new Field("sync", false, "{quiet: 5m}"),
            new Field("watch", false, "{every: 15m, rows: 1d, behind: 1h, age: 7d}"),
            new Field("hold", false, "{for: 3d, changed: 30, deleted: 10}"),
            new Field("checks", false, "{drugs-have-names: {sql: \"SELECT count(*) FROM master.drug WHERE name = ''\", expected: \"0\"}}"));
    static final List<Field> KEEP = List.of(
            new Field("manifests", false, "30"),
            new Field("days", false, "90"));
    static final List<Field> SYNC = List.of(
            new Field("at", false, "cron(0 4 * * ? *)"),
            new Field("quiet", false, "5m"));
    static final List<Field> WATCH = List.of(
            new Field("every", false, "15m"),
            new Field("rows", false, "1d"),
            new Field("behind", false, "1h"),
            new Field("age", false, "7d"));
    static final List<Field> HOLDING = List.of(
            new Field("for", false, "3d"),
            new Field("changed", false, "30"),
            new Field("deleted", false, "10"),
            new Field("emptied", false, "20"),
            new Field("rows", false, "10"));
    static final List<Field> HOLD = List.of(
            new Field("changed", false, "30"),
            new Field("deleted", false, "10"),
            new Field("emptied", false, "20"),
            new Field("rows", false, "10"),
            new Field("keys", false, "\"[A-Z][0-9]{2}\""));
    static final List<Field> CHECK = List.of(
            new Field("sql", true,
                    "a query that returns one row with one column, such as \"SELECT count(*) FROM master.drug WHERE name = ''\""),
            new Field("expected", true, "its answer, quoted, such as \"0\""));
    static final List<Field> TABLE = List.of(
            new Field("key", true, "[id], the columns that identify a row"),
            new Field("columns", true, "[id, name], all columns that may leave the source"),
            new Field("where", false, "an SQL condition, such as \"valid_to IS NULL\", or remove it"),
            new Field("hold", false, "{changed: 30, deleted: 10}"));

    static final List<Field> MIGRATION = List.of(
            new Field("target", true, "shop-1"),
            new Field("source", true, SOURCE_EXAMPLE));

    static final List<Field> DIFFERENCE = List.of(
            new Field("what", true, "[shard.Database.DeletionProtection], keys that lockstep diff shows"),
            new Field("reason", true, "why the editions differ"),
            new Field("check", true, "what QA should try"));

    static final List<Field> DELIVERY = List.of(
            new Field("gitlab", true, "https://gitlab.example.com"),
            new Field("project", true, "group/lockstep"),
            new Field("ref", true, "main"),
            new Field("email", false, "[operations@example.com]"),
            new Field("syncFrom", false, "[{project: group/code-lists, ref: main}]"));
    static final List<Field> BRANCH = List.of(
            new Field("project", true, "group/code-lists"),
            new Field("ref", true, "main"));

    static final Format NAME = new Format("(?=.{1,30}$)[a-z][a-z0-9]*(-[a-z0-9]+)*",
            "a name of at most 30 lowercase letters, digits and single hyphens, starting with a letter", "write it like shop-1");
    /** Shorter than other names, because an execution is named NAME.ID and Step Functions allows 80 characters. */
    static final Format DATA_SET_NAME = new Format("(?=.{1,18}$)[a-z][a-z0-9]*(-[a-z0-9]+)*",
            "a name of at most 18 lowercase letters, digits and single hyphens, starting with a letter", "write it like master");
    static final Format RELEASE = new Format("[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
            "a release of at most 64 letters, digits, dots, hyphens and underscores", "write it like \"1.0.0\"");
    static final Format REGION = new Format("[a-z]{2}(-gov)?-(central|(north|south)(east|west)?|east|west)-[1-9]",
            "a region of the partitions aws, aws-cn and aws-us-gov", "write it like eu-central-1");
    static final Format ZONE = new Format(REGION.pattern().pattern() + "[a-z]", "an availability zone", "write it like eu-central-1a");
    static final Format EDITION = new Format("production|demo", "an edition", "write production or demo");
    static final Format ID = new Format("[0-9]{12}",
            "an AWS account id of 12 digits", "write it quoted, as \"222222222222\"");
    static final Format PATH = new Format("[^\\x00-\\x1f\\x7f]{1,300}", "a path without control characters", "write it like target/image");
    static final Format IMAGE = new Format(
            "[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com(\\.cn)?/[a-z0-9][a-z0-9._/-]{1,255}"
                    + "(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|@sha256:[0-9a-f]{64})",
            "an image in ECR, the only registry that tasks can reach, with its tag or digest",
            "write it like 222222222222.dkr.ecr.eu-central-1.amazonaws.com/shop:1.0.0");
    static final Format PORT = new Format("[1-9][0-9]{3,4}", "a port from 1024 to 65535", "write it like 8443");
    static final Format HEALTH = new Format("/[A-Za-z0-9._~/-]{0,100}", "an absolute path of letters, digits and -._~/",
            "write it like /health");
    static final Format WORD = new Format("[^\\x00-\\x1f\\x7f]{1,300}", "a word of a command without control characters",
            "write it like serve");
    static final Format COLUMN_NAME = new Format("[^\\x00-\\x1f\\x7f]{1,63}",
            "the name of a column: 1 to 63 characters without control characters",
            "write it as the catalog stores it, without SQL quotes, like drug_id or lineItem");
    static final Format TABLE_NAME = new Format(TableName.PATTERN.pattern(),
            "schema.table as in SQL",
            "write it like master.drug, or like '\"Order Desk\".\"lineItem\"' if it has anything but lowercase letters, digits and "
                    + "underscores");
    static final Format HOST = new Format("(?=.{1,200}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
            "a host name of lowercase letters, digits, hyphens and dots", "write it like demo.shop.example");
    static final Format CERTIFICATE = new Format("arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[a-zA-Z0-9-]+",
            "the ARN of an ACM certificate",
            "write it like arn:aws:acm:eu-central-1:222222222222:certificate/00000000-0000-0000-0000-000000000000");
    static final Format BANNER = new Format("(?=.*\\S)[^\\p{Cntrl}]{1,200}", "a single line of at most 200 characters",
            "shorten it, or remove the field");
    static final Format FUNCTIONS = new Format("[4-9]|[1-9][0-9]{1,4}", "a whole number of functions from 4 to 99999", "write it like 10");
    static final Format FUNCTION_MINUTES = new Format("[0-9]|10", "a whole number of minutes from 0 to 10", "write it like 5");
    static final Format CONNECTIONS = new Format("[2-9]|[1-9][0-9]{1,2}", "a whole number of connections from 2 to 999", "write it like 8");
    static final Format RATE_LIMIT = new Format("[1-9][0-9]{0,5}", "a whole number of requests per second from 1 to 999999",
            "write it like 20, or remove the field");
    static final Format POSTGRES = new Format("1[5-9]\\.[1-9][0-9]?", "a version of Aurora PostgreSQL", "write it like \"17.9\"");
    static final Format YES_OR_NO = new Format("true|false", "true or false", "write it like true");
    static final Format AGE = new Format("[1-9][0-9]{0,3}[hd]", "a number of hours or days", "write it like 12h or 7d");
    static final Format INTERVAL = new Format("[1-9][0-9]{0,3}[mhd]", "a number of minutes, hours or days", "write it like 15m, 1h or 7d");
    static final Format CLOCK = new Format("(cron\\([^()]{11,100}\\)|rate\\([1-9][0-9]{0,3} (minute|hour|day)s?\\))",
            "an EventBridge schedule expression", "write it like cron(0 4 * * ? *), which is daily at 4:00 UTC, or rate(6 hours)");
    static final Format ANSWER = new Format("[^\\p{Cntrl}]{0,200}", "a single line of at most 200 characters",
            "write the query's answer as psql shows it, quoted");
    static final Format QUERY = new Format("(?s).*\\S.*", "an SQL query", "write one that returns one row with one column");
    static final Format EXPRESSION = new Format("[^\\p{Cntrl}]{1,200}", "a regular expression on a single line of at most 200 characters",
            "write one that all keys match, quoted");
    static final Format PERCENT = new Format("0|[1-9][0-9]?|100", "a whole percentage from 0 to 100", "write it like 30, or 100 for never");
    static final Format ROWS = new Format("[1-9][0-9]{0,5}|1000000", "a whole number of rows from 1 to 1000000",
            "write it like 10, or remove the field");
    static final Format MANIFESTS = new Format("[1-9][0-9]{0,3}", "a whole number of manifests from 1 to 9999",
            "write it like 30, or remove the field");
    static final Format DAYS = new Format("0|[1-9][0-9]{0,3}", "a whole number of days from 0 to 9999",
            "write it like 90, or remove the field");
    static final Format DIFFERENCE_KEY = new Format("([a-z]|\\*[./][^*\\s])\\S{0,300}",
            "a key that lockstep diff shows, where * matches any text",
            "write it like shard.Database.DeletionProtection or proxy.Firewall*");
    static final Format SENTENCE = new Format("(?=.*\\S)[^\\p{Cntrl}]{1,500}", "a single line of at most 500 characters",
            "write one, or shorten it");
    /** The form that IAM requires: with a port, a query or a trailing slash, no token would ever match. */
    static final Format GITLAB = new Format(
            "https://([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(/[A-Za-z0-9._-]+)*",
            "the https URL of a GitLab server without a port and without a trailing slash", "write it like https://gitlab.example.com");
    /** Excludes IAM's wildcards, which would admit other projects. */
    static final Format PROJECT = new Format("[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+",
            "the path of a GitLab project, including its group", "write it like group/lockstep");
    static final Format REF = new Format("[A-Za-z0-9_][A-Za-z0-9_./-]{0,99}", "the name of one branch, without wildcards",
            "write it like main");
    static final Format EMAIL = new Format("[^\\s@\\p{Cntrl}]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)+[A-Za-z]{2,63}",
            "an email address", "write it like operations@example.com");
    static final Format CONDITION = new Format("(?s).*\\S.*",
            "an SQL condition", "write one, or remove the field");

    private static final String PLACEHOLDER_TABLE = "wrong.name";

    /** Whether visitors may sign up. */
    enum Access { OPEN, CLOSED }

    /** The first use of a name that must be unique. */
    private record Owner(String name, int line) {}

    /** A shard that has been read. The edition is empty if the file gives no valid one. */
    private record Home(Owner account, Optional<String> accountId, Optional<Edition> edition) {}

    private final List<Problem> problems = new ArrayList<>();
    private final Map<String, Owner> accountById = new HashMap<>();
    private final Map<String, Home> homeByShard = new HashMap<>();
    private final Map<String, Owner> accountByHost = new HashMap<>();
    private final Map<String, Owner> dataSetByTable = new HashMap<>();
    private final Map<String, Integer> lineByDifference = new HashMap<>();
    private final Map<String, YamlValue> regionByAccount = new HashMap<>();
    private final Set<String> crossesPartitions = new HashSet<>();

    private final Path directory;
    private final ExistingReader existing;

    /** @param directory the directory of the file */
    private LandscapeReader(Path directory) {
        this.directory = directory;
        this.existing = new ExistingReader(directory);
    }

    /**
     * Reads and checks the file.
     *
     * @throws LandscapeException with all problems at once
     */
    public static Landscape read(Path file) {
        var reader = new LandscapeReader(file.toAbsolutePath().normalize().getParent());
        Landscape landscape = reader.landscape(YamlValue.of(file, "product, release and the other fields", reader.problems));
        if (!reader.problems.isEmpty()) {
            reader.problems.sort(Comparator.comparingInt(Problem::line));
            throw new LandscapeException(file, reader.problems);
        }
        return landscape;
    }

    /**
     * Checks that a release's name is valid in the file, and returns it.
     *
     * @throws IllegalArgumentException if it is not; the message says how to write one
     */
    public static String release(String name) {
        if (!RELEASE.pattern().matcher(name).matches())
            throw new IllegalArgumentException(quote(name) + " is not " + RELEASE.description() + "; " + RELEASE.fix());
        return name;
    }

    // Below, a missing or invalid value has already been reported as a problem. A placeholder lets reading continue, and is never returned
    // to callers.

    private Landscape landscape(YamlValue root) {
        var fields = root.fields(LANDSCAPE);
        var accounts = new ArrayList<Account>();
        fields.get("accounts").entries(NAME, "{id: \"222222222222\", purpose: demo, shards: {demo-1: {edition: demo}}}")
                .forEach((name, value) -> accounts.add(account(name, value)));
        String region = fields.get("region").text(REGION).orElse("");
        if (!region.isEmpty()) checkPartitions(region, accounts);
        var dataSets = new ArrayList<DataSet>();
        if (fields.get("dataSets").isGiven())
            fields.get("dataSets").entries(DATA_SET_NAME, DATA_SET_EXAMPLE)
                    .forEach((name, value) -> dataSets.add(dataSet(name, value)));
        else if (root.isGiven() && !fields.get("migrations").isGiven())
            root.problem("'dataSets' is missing", "add dataSets: {master: " + DATA_SET_EXAMPLE + "}");
        var migrations = new ArrayList<DeclaredMigration>();
        if (fields.get("migrations").isGiven())
            fields.get("migrations").entries(DATA_SET_NAME, MIGRATION_EXAMPLE)
                    .forEach((name, value) -> migrations.add(migration(name, value)));
        boolean runsProduct = accounts.isEmpty()
                || accounts.stream().flatMap(account -> account.shards().stream()).anyMatch(Shard::runsProduct);
        if (runsProduct && root.isGiven() && !fields.get("product").isGiven())
            root.problem("'product' is missing", "add product: " + PRODUCT_EXAMPLE);
        var differences = fields.get("differences").items().stream().map(this::difference).toList();
        var landscape = new Landscape(
                fields.get("product").isGiven() ? Optional.of(product(fields.get("product"))) : Optional.empty(),
                fields.get("release").text(RELEASE).orElse(""),
                region,
                accounts, dataSets, differences, delivery(fields.get("delivery")), migrations);
        if (!region.isEmpty())
            dataSets.stream().filter(dataSet -> homeByShard.containsKey(dataSet.source())).forEach(set -> checkRegions(landscape, set));
        return landscape;
    }

    /** A network without internet access reaches S3 and KMS of its own region only. */
    private void checkRegions(Landscape landscape, DataSet dataSet) {
        var source = landscape.accountOf(dataSet.source());
        for (Account account : landscape.accounts()) {
            String here = landscape.regionOf(account), there = landscape.regionOf(source);
            if (!landscape.targetsIn(account, dataSet).isEmpty() && !here.equals(there) && !crossesPartitions.contains(account.name()))
                regionByAccount.get(account.name()).problem(
                        "account " + account.name() + " is in " + here + " and could not read data set " + dataSet.name()
                                + ", whose source "
                                + "is in " + there
                                + ": its network has no internet access, so it reaches S3 and KMS of its own region only",
                        "use the region of account " + source.name());
        }
    }

    private void checkPartitions(String region, List<Account> accounts) {
        for (Account account : accounts) {
            if (account.region().filter(own -> !Names.partition(own).equals(Names.partition(region))).isEmpty()) continue;
            crossesPartitions.add(account.name());
            regionByAccount.get(account.name()).problem(
                    quote(account.region().get()) + " is in the partition " + Names.partition(account.region().get())
                            + ", but the landscape's region is in " + Names.partition(region)
                            + ": accounts of different partitions can't trust each other",
                    "use a landscape file for each partition");
        }
    }

    private Product product(YamlValue value) {
        var fields = value.fields(PRODUCT);
        var name = fields.get("name").text(NAME).orElse("");
        if (name.equals("migrate"))
            fields.get("name").problem("'migrate' is the name of a container beside the product's", "give the product another name");
        Path base = fields.get("directory").text(PATH).map(directory::resolve).orElse(directory).normalize();
        var build = fields.get("build").text(PATH).map(path -> base.resolve(path).normalize());
        var image = fields.get("image").text(IMAGE);
        if (fields.get("commands").isGiven() && !fields.get("build").isGiven() && !fields.get("image").isGiven())
            value.problem("'build' or 'image' is missing", "add build: the directory with the product's Dockerfile");
        if (fields.get("build").isGiven() && fields.get("image").isGiven())
            fields.get("image").problem("the image is given by 'build' too", "remove one of the two");
        int port = fields.get("port").text(PORT).map(Integer::parseInt).orElse(8443);
        if (port < 1024 || port > 65535)
            fields.get("port").problem(quote(String.valueOf(port)) + " is not " + PORT.description(), PORT.fix());
        if (port == Product.HEALTH_PORT)
            fields.get("port").problem(quote(String.valueOf(port)) + " is the port of the container's health check", PORT.fix());
        var commands = fields.get("commands").fields(COMMANDS);
        return new Product(name, base,
                image.<Product.Image>map(Product.Existing::new).orElseGet(() -> new Product.Built(build.orElse(base))), port,
                fields.get("health").text(HEALTH).orElse(""),
                new Product.Commands(words(commands.get("serve")), words(commands.get("migrate")), words(commands.get("addUser")),
                        words(commands.get("build")), words(commands.get("seed"))),
                fields.get("features").text(PATH).map(base::resolve), fields.get("migrations").text(PATH).map(base::resolve),
                words(fields.get("test")));
    }

    static List<String> words(YamlValue command) {
        return command.items().stream().flatMap(word -> word.text(WORD).stream()).toList();
    }

    private Optional<Delivery> delivery(YamlValue value) {
        if (!value.isGiven()) return Optional.empty();
        var fields = value.fields(DELIVERY);
        var email = new ArrayList<String>();
        for (var item : fields.get("email").items()) {
            item.text(EMAIL).ifPresent(address -> {
                if (email.contains(address)) item.problem(quote(address) + " is given twice", "remove one of the two");
                email.add(address);
            });
        }
        var syncFrom = fields.get("syncFrom").items().stream().map(item -> item.fields(BRANCH)).map(
                branch -> new Delivery.Branch(branch.get("project").text(PROJECT).orElse(""), branch.get("ref").text(REF).orElse("")))
                .toList();
        return Optional.of(new Delivery(fields.get("gitlab").text(GITLAB).orElse(""), fields.get("project").text(PROJECT).orElse(""),
                fields.get("ref").text(REF).orElse(""), email, syncFrom));
    }

    private Account account(String name, YamlValue value) {
        var fields = value.fields(ACCOUNT);
        var id = fields.get("id").text(ID);
        id.map(given -> accountById.putIfAbsent(given, new Owner(name, value.line()))).ifPresent(other -> fields.get("id").problem(
                quote(id.get()) + " is already the id of account " + other.name() + " in line " + other.line(),
                "give each account its own id"));
        // qa may hold both editions, so as a placeholder it causes no further problems
        var purpose = fields.get("purpose").choice(Purpose.class).orElse(Purpose.QA);
        var shards = new ArrayList<Shard>();
        fields.get("shards").entries(NAME, "{edition: demo}")
                .forEach((shard, shardValue) -> shards.add(shard(shard, shardValue, name, purpose, id)));
        var network = fields.get("network");
        if (!network.isGiven() && !shards.stream().allMatch(Shard::runsProduct))
            value.problem("'network' is missing", "add network: the existing network from which the databases can be reached");
        var proxies = new ArrayList<Proxy>();
        if (fields.get("proxies").isGiven()) {
            fields.get("proxies").entries(EDITION, "{host: demo.shop.example}")
                    .forEach((edition, proxy) -> Arrays.stream(Edition.values()).filter(known -> known.word().equals(edition)).findFirst()
                            .ifPresent(known -> proxies.add(proxy(known, proxy, name, shards))));
        }
        regionByAccount.put(name, fields.get("region"));
        return new Account(name, id.orElse(""), purpose, shards, proxies, limits(fields.get("limits")),
                fields.get("region").text(REGION), zones(fields.get("zones")), existing.network(network, name, !proxies.isEmpty()));
    }

    private static List<String> zones(YamlValue value) {
        var items = value.items();
        var zones = items.stream().flatMap(zone -> zone.text(ZONE).stream()).toList();
        if (value.isGiven() && zones.size() == items.size() && zones.stream().distinct().count() != 2)
            value.problem("a network has two zones", "name two different zones of the account's region");
        return zones;
    }

    private Limits limits(YamlValue value) {
        var fields = value.fields(LIMITS);
        return new Limits(fields.get("functions").text(FUNCTIONS).map(Integer::parseInt).orElse(Limits.DEFAULT.functions()),
                fields.get("connections").text(CONNECTIONS).map(Integer::parseInt).orElse(Limits.DEFAULT.connections()),
                fields.get("functionMinutes").text(FUNCTION_MINUTES).map(Integer::parseInt).orElse(Limits.DEFAULT.functionMinutes()));
    }

    private Proxy proxy(Edition edition, YamlValue value, String account, List<Shard> shards) {
        var fields = value.fields(PROXY);
        if (!shards.isEmpty() && shards.stream().noneMatch(shard -> shard.edition() == edition && shard.runsProduct())) {
            value.problem("account " + account + " has no shard of the " + edition.word() + " edition that runs the product",
                    "remove this proxy, or add such a shard");
        }
        var host = fields.get("host").text(HOST);
        host.map(given -> accountByHost.putIfAbsent(given, new Owner(account, value.line()))).ifPresent(other -> fields.get("host").problem(
                quote(host.get()) + " is already the host of a proxy of account " + other.name() + " in line " + other.line(),
                "give each proxy its own host"));
        for (var field : edition == Edition.PRODUCTION ? List.of("certificate", "signUp", "banner") : List.<String>of()) {
            if (fields.get(field).isGiven()) fields.get(field).problem("the production edition has no " + field, "remove it");
        }
        if (edition == Edition.DEMO && !fields.get("certificate").isGiven()) {
            value.problem("'certificate' is missing", "add certificate: the ARN of the load balancer's ACM certificate");
        }
        return new Proxy(edition, host.orElse(""), fields.get("certificate").text(CERTIFICATE),
                fields.get("signUp").choice(Access.class).filter(Access.OPEN::equals).isPresent(), fields.get("banner").text(BANNER),
                fields.get("rateLimit").text(RATE_LIMIT).map(text -> OptionalInt.of(Integer.parseInt(text))).orElse(OptionalInt.empty()));
    }

    private Shard shard(String name, YamlValue value, String account, Purpose purpose, Optional<String> accountId) {
        var fields = value.fields(SHARD);
        var field = fields.get("edition");
        var edition = field.choice(Edition.class);
        var allowed = switch (purpose) {
            case PRODUCTION -> Optional.of(Edition.PRODUCTION);
            case DEMO -> Optional.of(Edition.DEMO);
            case QA -> edition;
        };
        if (edition.isPresent() && !edition.equals(allowed)) {
            field.problem(
                    "the " + lower(edition.get()) + " edition is not allowed in account " + account + ", whose purpose is "
                            + lower(purpose),
                    "move shard " + name + " to an account of purpose " + lower(edition.get()) + " or qa");
        }
        var other = homeByShard.putIfAbsent(name, new Home(new Owner(account, value.line()), accountId, edition));
        if (other != null) {
            value.problem(quote(name) + " is already a shard of account " + other.account().name() + " in line " + other.account().line(),
                    "give each shard a unique name");
        }
        var age = fields.get("tenantsExpireAfter");
        if (age.isGiven() && edition.equals(Optional.of(Edition.PRODUCTION))) {
            age.problem("tenants of the production edition never expire", "remove it");
        }
        var database = fields.get("database");
        for (var ofProduct : List.of("tenantsExpireAfter", "reader")) {
            if (database.isGiven() && fields.get(ofProduct).isGiven())
                fields.get(ofProduct).problem("an existing database has no " + ofProduct, "remove it");
        }
        var expireAfter = age.text(AGE).map(Interval::parse);
        var shard = new Shard(name, edition.orElse(Edition.DEMO));
        return new Shard(name, shard.edition(), expireAfter.or(shard::tenantsExpireAfter),
                fields.get("reader").text(YES_OR_NO).map(Boolean::parseBoolean),
                fields.get("postgres").text(POSTGRES).orElse(Shard.POSTGRES), existing.database(database, name, account, accountId));
    }

    private DataSet dataSet(String name, YamlValue value) {
        var fields = value.fields(DATA_SET);
        var source = fields.get("source").text(NAME);
        source.ifPresent(shard -> checkSource(shard, fields.get("source")));
        var holding = holding(fields.get("hold"));
        var tables = new ArrayList<Table>();
        fields.get("tables").entries(TABLE_NAME, "{key: [id], columns: [id, name]}").forEach((given, tableValue) -> {
            String table = canonical(given, tableValue);
            var other = dataSetByTable.putIfAbsent(table, new Owner(name, tableValue.line()));
            if (other != null && !table.equals(PLACEHOLDER_TABLE)) {
                tableValue.problem(quote(table) + " is already a table of data set " + other.name() + " in line " + other.line(),
                        "remove one of the two");
            }
            tables.add(table(table, tableValue, holding.usual()));
        });
        return new DataSet(name, source.orElse(""), tables, keep(fields.get("keep")),
                fields.get("triggers").choice(Triggers.class).orElse(Triggers.RUN),
                watch(fields.get("watch")), checks(fields.get("checks")), holding, starting(fields.get("sync")));
    }

    private DeclaredMigration migration(String name, YamlValue value) {
        var fields = value.fields(MIGRATION);
        var target = fields.get("target").text(NAME);
        target.ifPresent(shard -> checkShard(shard, fields.get("target")));
        var home = target.map(homeByShard::get);
        return new DeclaredMigration(name,
                existing.source(fields.get("source"), home.map(at -> at.account().name()).orElse(""), home.flatMap(Home::accountId)),
                target.orElse(""), directory.resolve("migrations").resolve(name));
    }

    /** Returns the canonical name, or a placeholder after reporting an invalid name. */
    private static String canonical(String table, YamlValue value) {
        if (!TABLE_NAME.pattern().matcher(table).matches()) return PLACEHOLDER_TABLE;
        try {
            return TableName.parse(table).toString();
        } catch (IllegalArgumentException e) {
            value.problem(e.getMessage(), "write the name that the database truncated it to");
            return PLACEHOLDER_TABLE;
        }
    }

    private Starting starting(YamlValue value) {
        var fields = value.fields(SYNC);
        return new Starting(fields.get("at").text(CLOCK), fields.get("quiet").text(INTERVAL).map(Interval::parse));
    }

    private Watch watch(YamlValue value) {
        var fields = value.fields(WATCH);
        var every = interval(fields.get("every"), Watch.DEFAULT.every());
        if (every.compareTo(Watch.LONGEST) > 0) {
            fields.get("every").problem(
                    "an interval of " + every.toHours() + " hours is too long: an alarm spans two intervals and at most a day",
                    "write 12h or less");
            every = Watch.DEFAULT.every();
        }
        var rows = interval(fields.get("rows"), Watch.DEFAULT.rows());
        if (rows.compareTo(every) < 0) {
            fields.get("rows").problem("rows are read at one of the checks, which are less frequent",
                    "write the interval of every or more");
            rows = every;
        }
        return new Watch(every, rows, interval(fields.get("behind"), Watch.DEFAULT.behind()),
                interval(fields.get("age"), Watch.DEFAULT.age()));
    }

    private static Duration interval(YamlValue value, Duration usual) {
        return value.text(INTERVAL).map(Interval::parse).orElse(usual);
    }

    private Holding holding(YamlValue value) {
        var fields = value.fields(HOLDING);
        var longest = interval(fields.get("for"), Holding.DEFAULT.longest());
        if (longest.compareTo(Holding.MOST) > 0) fields.get("for").problem("a sync's notes are deleted after a week", "write 6d or less");
        return new Holding(longest, hold(fields, Hold.DEFAULT));
    }

    private static Hold hold(Map<String, YamlValue> fields, Hold usual) {
        var keys = fields.containsKey("keys") ? fields.get("keys").text(EXPRESSION) : usual.keys();
        keys.ifPresent(expression -> {
            try {
                Pattern.compile(expression);
            } catch (PatternSyntaxException e) {
                fields.get("keys").problem(quote(expression) + " is not a regular expression: " + e.getDescription(),
                        "write a Java regular expression that matches every key in full");
            }
        });
        return new Hold(percent(fields.get("changed"), usual.changed()), percent(fields.get("deleted"), usual.deleted()),
                percent(fields.get("emptied"), usual.emptied()),
                fields.get("rows").text(ROWS).map(Integer::parseInt).orElse(usual.rows()), keys);
    }

    private static int percent(YamlValue value, int usual) {
        return value.text(PERCENT).map(Integer::parseInt).orElse(usual);
    }

    private List<Check> checks(YamlValue value) {
        var checks = new ArrayList<Check>();
        if (value.isGiven()) {
            value.entries(NAME, "{sql: \"SELECT count(*) FROM master.drug WHERE name = ''\", expected: \"0\"}").forEach((name, check) -> {
                var fields = check.fields(CHECK);
                checks.add(new Check(name, fields.get("sql").text(QUERY).orElse(""), fields.get("expected").text(ANSWER).orElse("")));
            });
        }
        return checks;
    }

    private Keep keep(YamlValue value) {
        var fields = value.fields(KEEP);
        return new Keep(fields.get("manifests").text(MANIFESTS).map(Integer::parseInt).orElse(Keep.DEFAULT.manifests()),
                fields.get("days").text(DAYS).map(Integer::parseInt).orElse(Keep.DEFAULT.days()));
    }

    private void checkShard(String shard, YamlValue field) {
        if (!homeByShard.isEmpty() && !homeByShard.containsKey(shard)) // none at all has already been reported
            field.problem("there is no shard " + quote(shard), YamlValue.nearest(shard, homeByShard.keySet())
                    .map(candidate -> "did you mean '" + candidate + "'?")
                    .orElse("write one of " + homeByShard.keySet().stream().sorted().collect(Collectors.joining(", "))));
    }

    private void checkSource(String shard, YamlValue field) {
        checkShard(shard, field);
        var home = homeByShard.get(shard);
        if (home != null && home.edition().equals(Optional.of(Edition.DEMO))) {
            field.problem(quote(shard) + " is of the demo edition, which the public may write to",
                    "name a shard of the production edition");
        }
    }

    private Table table(String name, YamlValue value, Hold usual) {
        var fields = value.fields(TABLE);
        var key = columns(fields.get("key"));
        var columns = columns(fields.get("columns"));
        if (!columns.isEmpty()) {
            key.forEach((column, item) -> {
                if (!columns.containsKey(column)) {
                    item.problem(quote(column) + " is not among the columns", "add it to the columns, or choose another key");
                }
            });
        }
        return new Table(name, List.copyOf(columns.keySet()), List.copyOf(key.keySet()), fields.get("where").text(CONDITION),
                fields.get("hold").isGiven() ? Optional.of(hold(fields.get("hold").fields(HOLD), usual)) : Optional.empty());
    }

    private Difference difference(YamlValue value) {
        var fields = value.fields(DIFFERENCE);
        var what = new ArrayList<String>();
        for (var item : fields.get("what").items()) {
            item.text(DIFFERENCE_KEY).ifPresent(key -> {
                what.add(key);
                Integer other = lineByDifference.putIfAbsent(key, item.line());
                if (other != null) item.problem(quote(key) + " is already declared in line " + other, "remove one of the two");
            });
        }
        return new Difference(what, fields.get("reason").text(SENTENCE).orElse(""), fields.get("check").text(SENTENCE).orElse(""));
    }

    private static Map<String, YamlValue> columns(YamlValue list) {
        var columns = new LinkedHashMap<String, YamlValue>();
        for (var item : list.items()) {
            item.text(COLUMN_NAME).filter(column -> fits(column, item)).filter(column -> columns.putIfAbsent(column, item) != null)
                    .ifPresent(column -> item.problem(quote(column) + " is given twice", "remove one of the two"));
        }
        return columns;
    }

    private static boolean fits(String column, YamlValue item) {
        boolean fits = column.getBytes(StandardCharsets.UTF_8).length <= TableName.MAX_BYTES;
        if (!fits) item.problem(quote(column) + " has more than " + TableName.MAX_BYTES + " bytes",
                "write the name that the database truncated it to");
        return fits;
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
