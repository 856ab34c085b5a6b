package lockstep.landscape;

import static lockstep.landscape.YamlValue.quote;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import lockstep.landscape.YamlValue.Field;
import lockstep.landscape.YamlValue.Format;

/** Reads lockstep.yaml. Fields, choices and patterns are also in lockstep.schema.json, for editors; a test compares them. */
public final class LandscapeReader {
    static final List<Field> LANDSCAPE = List.of(
            new Field("product", true, "clinic"),
            new Field("release", true, "\"1.0.0\""),
            new Field("region", true, "eu-central-1"),
            new Field("accounts", true, "{demo: {id: \"222222222222\", purpose: demo, shards: {demo-1: {edition: demo}}}}"),
            new Field("dataSets", true, "{master: {source: clinic-1, tables: {master.drug: {key: [id], columns: [id, name]}}}}"),
            new Field("differences", false, "[{what: [shard.Database.DeletionProtection], reason: why, check: what to try}]"));
    static final List<Field> ACCOUNT = List.of(
            new Field("id", true, "\"222222222222\""),
            new Field("purpose", true, "production, demo or qa"),
            new Field("shards", true, "{demo-1: {edition: demo}}"),
            new Field("proxies", false, "{demo: {host: demo.clinic.example}}"));
    static final List<Field> SHARD = List.of(
            new Field("edition", true, "production or demo"),
            new Field("tenantsExpireAfter", false, "7d"));
    static final List<Field> PROXY = List.of(
            new Field("host", true, "demo.clinic.example"),
            new Field("certificate", false, "arn:aws:acm:eu-central-1:222222222222:certificate/00000000-0000-0000-0000-000000000000"),
            new Field("signUp", false, "open or closed"),
            new Field("banner", false, "\"Please do not enter real patients' data.\""),
            new Field("rateLimit", false, "20"));
    static final List<Field> DATA_SET = List.of(
            new Field("source", true, "clinic-1"),
            new Field("tables", true, "{master.drug: {key: [id], columns: [id, name]}}"),
            new Field("keep", false, "{manifests: 30, days: 90}"),
            new Field("triggers", false, "run"));
    static final List<Field> KEEP = List.of(
            new Field("manifests", false, "30"),
            new Field("days", false, "90"));
    static final List<Field> TABLE = List.of(
            new Field("key", true, "[id], the columns that identify a row"),
            new Field("columns", true, "[id, name], all columns that may leave the source"),
            new Field("where", false, "an SQL condition, as \"valid_to IS NULL\", or remove it"));

    static final List<Field> DIFFERENCE = List.of(
            new Field("what", true, "[shard.Database.DeletionProtection], keys that lockstep diff shows"),
            new Field("reason", true, "why the editions differ"),
            new Field("check", true, "what QA should try"));

    static final Format NAME = new Format("(?=.{1,30}$)[a-z][a-z0-9]*(-[a-z0-9]+)*",
            "a name of at most 30 lowercase letters and digits, with single hyphens between", "write it like clinic-1");
    /** Shorter than other names: lockstep-NAME-ACCOUNT-REGION names a bucket, and S3 allows 63 characters. */
    static final Format DATA_SET_NAME = new Format("(?=.{1,26}$)[a-z][a-z0-9]*(-[a-z0-9]+)*",
            "a name of at most 26 lowercase letters and digits, with single hyphens between", "write it like master");
    static final Format RELEASE = new Format("[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
            "a release of at most 64 letters, digits, dots, hyphens and underscores", "write it like \"1.0.0\"");
    static final Format REGION = new Format("[a-z]{2,4}(-(gov|iso[a-z]?|de))?-(central|(north|south)(east|west)?|east|west)-[1-9]",
            "an AWS region", "write it like eu-central-1");
    static final Format EDITION = new Format("production|demo", "an edition", "write production or demo");
    static final Format ID = new Format("[0-9]{12}",
            "an AWS account id of 12 digits", "write it quoted, as \"222222222222\"");
    static final Format COLUMN_NAME = new Format("[a-z_][a-z0-9_]{0,62}",
            "a plain PostgreSQL name of at most 63 lowercase letters, digits and underscores", "write it like drug_id");
    static final Format TABLE_NAME = new Format("[a-z_][a-z0-9_]{0,62}\\.[a-z_][a-z0-9_]{0,62}",
            "schema.table in plain PostgreSQL names of at most 63 lowercase letters, digits and underscores", "write it like master.drug");
    static final Format HOST = new Format("(?=.{1,200}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
            "a host name of lowercase letters, digits, hyphens and dots", "write it like demo.clinic.example");
    static final Format CERTIFICATE = new Format("arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[a-zA-Z0-9-]+",
            "the ARN of an ACM certificate", "write it like arn:aws:acm:eu-central-1:222222222222:certificate/00000000-0000-0000-0000-000000000000");
    static final Format BANNER = new Format("(?=.*\\S)[^\\p{Cntrl}]{1,200}", "a text of one line and at most 200 characters", "shorten it, or remove the field");
    static final Format RATE_LIMIT = new Format("[1-9][0-9]{0,5}", "a whole number of requests per second from 1 to 999999", "write it like 20, or remove the field");
    static final Format AGE = new Format("[1-9][0-9]{0,3}[hd]", "a number of hours or days", "write it like 12h or 7d");
    static final Format MANIFESTS = new Format("[1-9][0-9]{0,3}", "a whole number of manifests from 1 to 9999", "write it like 30, or remove the field");
    static final Format DAYS = new Format("0|[1-9][0-9]{0,3}", "a whole number of days from 0 to 9999", "write it like 90, or remove the field");
    static final Format DIFFERENCE_KEY = new Format("([a-z]|\\*[./][^*\\s])\\S{0,300}",
            "a key that lockstep diff shows, with * for any text", "write it like shard.Database.DeletionProtection or proxy.Firewall*");
    static final Format SENTENCE = new Format("(?=.*\\S)[^\\p{Cntrl}]{1,500}", "a text of one line and at most 500 characters", "write one, or shorten it");
    static final Format CONDITION = new Format("(?s).*\\S.*",
            "an SQL condition", "write one, or remove the field");

    /** Whether visitors may come in. */
    enum Access { OPEN, CLOSED }

    /** Where a name that must be unique was first used. */
    private record Owner(String name, int line) {}

    /** A shard that was read; without an edition when the file gives none that is known. */
    private record Home(Owner account, Optional<Edition> edition) {}

    private final List<Problem> problems = new ArrayList<>();
    private final Map<String, Owner> accountById = new HashMap<>();
    private final Map<String, Home> homeByShard = new HashMap<>();
    private final Map<String, Owner> accountByHost = new HashMap<>();
    private final Map<String, Owner> dataSetByTable = new HashMap<>();
    private final Map<String, Integer> lineByDifference = new HashMap<>();

    private LandscapeReader() {}

    /**
     * Reads and checks the file.
     *
     * @throws LandscapeException with all problems at once
     */
    public static Landscape read(Path file) {
        var reader = new LandscapeReader();
        Landscape landscape = reader.landscape(YamlValue.of(file, "product: clinic, and so on", reader.problems));
        if (!reader.problems.isEmpty()) {
            reader.problems.sort(Comparator.comparingInt(Problem::line));
            throw new LandscapeException(file, reader.problems);
        }
        return landscape;
    }

    // Below, a value that is missing or wrong has been noted as a problem; a stand-in lets reading go on and is never handed out.

    private Landscape landscape(YamlValue root) {
        var fields = root.fields(LANDSCAPE);
        var accounts = new ArrayList<Account>();
        fields.get("accounts").entries(NAME, "{id: \"222222222222\", purpose: demo, shards: {demo-1: {edition: demo}}}")
                .forEach((name, value) -> accounts.add(account(name, value)));
        var dataSets = new ArrayList<DataSet>();
        fields.get("dataSets").entries(DATA_SET_NAME, "{source: clinic-1, tables: {master.drug: {key: [id], columns: [id, name]}}}")
                .forEach((name, value) -> dataSets.add(dataSet(name, value)));
        var differences = fields.get("differences").items().stream().map(this::difference).toList();
        return new Landscape(
                fields.get("product").text(NAME).orElse(""),
                fields.get("release").text(RELEASE).orElse(""),
                fields.get("region").text(REGION).orElse(""),
                accounts, dataSets, differences);
    }

    private Account account(String name, YamlValue value) {
        var fields = value.fields(ACCOUNT);
        var id = fields.get("id").text(ID);
        id.map(given -> accountById.putIfAbsent(given, new Owner(name, value.line()))).ifPresent(other -> fields.get("id").problem(
                quote(id.get()) + " is already the id of account " + other.name() + " in line " + other.line(), "give each account its own"));
        // Both editions may live in qa: as a stand-in it causes no problems of its own.
        var purpose = fields.get("purpose").choice(Purpose.class).orElse(Purpose.QA);
        var shards = new ArrayList<Shard>();
        fields.get("shards").entries(NAME, "{edition: demo}")
                .forEach((shard, shardValue) -> shards.add(shard(shard, shardValue, name, purpose)));
        var proxies = new ArrayList<Proxy>();
        if (fields.get("proxies").isGiven()) {
            fields.get("proxies").entries(EDITION, "{host: demo.clinic.example}").forEach((edition, proxy) ->
                    Arrays.stream(Edition.values()).filter(known -> known.word().equals(edition)).findFirst()
                            .ifPresent(known -> proxies.add(proxy(known, proxy, name, shards))));
        }
        return new Account(name, id.orElse(""), purpose, shards, proxies);
    }

    private Proxy proxy(Edition edition, YamlValue value, String account, List<Shard> shards) {
        var fields = value.fields(PROXY);
        if (!shards.isEmpty() && shards.stream().noneMatch(shard -> shard.edition() == edition)) {
            value.problem("account " + account + " has no shard of the " + edition.word() + " edition", "remove this proxy, or add such a shard");
        }
        var host = fields.get("host").text(HOST);
        host.map(given -> accountByHost.putIfAbsent(given, new Owner(account, value.line()))).ifPresent(other -> fields.get("host").problem(
                quote(host.get()) + " is already the host of a proxy of account " + other.name() + " in line " + other.line(), "give each proxy its own"));
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

    private Shard shard(String name, YamlValue value, String account, Purpose purpose) {
        var fields = value.fields(SHARD);
        var field = fields.get("edition");
        var edition = field.choice(Edition.class);
        var allowed = switch (purpose) {
            case PRODUCTION -> Optional.of(Edition.PRODUCTION);
            case DEMO -> Optional.of(Edition.DEMO);
            case QA -> edition;
        };
        if (edition.isPresent() && !edition.equals(allowed)) {
            field.problem("the " + lower(edition.get()) + " edition may not live in account " + account + ", whose purpose is " + lower(purpose),
                    "move shard " + name + " to an account of purpose " + lower(edition.get()) + " or qa");
        }
        var other = homeByShard.putIfAbsent(name, new Home(new Owner(account, value.line()), edition));
        if (other != null) {
            value.problem(quote(name) + " is already a shard of account " + other.account().name() + " in line " + other.account().line(),
                    "give each shard a name of its own");
        }
        var age = fields.get("tenantsExpireAfter");
        if (age.isGiven() && edition.equals(Optional.of(Edition.PRODUCTION))) {
            age.problem("tenants of the production edition never expire", "remove it");
        }
        var expireAfter = age.text(AGE).map(LandscapeReader::duration);
        return expireAfter.isPresent() ? new Shard(name, edition.orElse(Edition.DEMO), expireAfter) : new Shard(name, edition.orElse(Edition.DEMO));
    }

    private static Duration duration(String age) {
        long number = Long.parseLong(age.substring(0, age.length() - 1));
        return age.endsWith("d") ? Duration.ofDays(number) : Duration.ofHours(number);
    }

    private DataSet dataSet(String name, YamlValue value) {
        var fields = value.fields(DATA_SET);
        var source = fields.get("source").text(NAME);
        source.ifPresent(shard -> checkSource(shard, fields.get("source")));
        var tables = new ArrayList<Table>();
        fields.get("tables").entries(TABLE_NAME, "{key: [id], columns: [id, name]}").forEach((table, tableValue) -> {
            var other = dataSetByTable.putIfAbsent(table, new Owner(name, tableValue.line()));
            if (other != null) {
                tableValue.problem(quote(table) + " is already a table of data set " + other.name() + " in line " + other.line(), "remove one of the two");
            }
            tables.add(table(table, tableValue));
        });
        return new DataSet(name, source.orElse(""), tables, keep(fields.get("keep")), fields.get("triggers").choice(Triggers.class).orElse(Triggers.RUN));
    }

    private Keep keep(YamlValue value) {
        var fields = value.fields(KEEP);
        return new Keep(fields.get("manifests").text(MANIFESTS).map(Integer::parseInt).orElse(Keep.DEFAULT.manifests()),
                fields.get("days").text(DAYS).map(Integer::parseInt).orElse(Keep.DEFAULT.days()));
    }

    private void checkSource(String shard, YamlValue field) {
        if (homeByShard.isEmpty()) return; // a problem already noted
        var home = homeByShard.get(shard);
        if (home == null) {
            field.problem("there is no shard " + quote(shard), YamlValue.nearest(shard, homeByShard.keySet())
                    .map(candidate -> "did you mean '" + candidate + "'?")
                    .orElse("write one of " + homeByShard.keySet().stream().sorted().collect(Collectors.joining(", "))));
        } else if (home.edition().equals(Optional.of(Edition.DEMO))) {
            field.problem(quote(shard) + " is of the demo edition, which the public may write to", "name a shard of the production edition");
        }
    }

    private Table table(String name, YamlValue value) {
        var fields = value.fields(TABLE);
        var key = columns(fields.get("key"));
        var columns = columns(fields.get("columns"));
        if (!columns.isEmpty()) {
            key.forEach((column, item) -> {
                if (!columns.containsKey(column)) {
                    item.problem(quote(column) + " is not among the columns", "add it to the columns, or take another key");
                }
            });
        }
        return new Table(name, List.copyOf(columns.keySet()), List.copyOf(key.keySet()), fields.get("where").text(CONDITION));
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
            item.text(COLUMN_NAME).filter(column -> columns.putIfAbsent(column, item) != null)
                    .ifPresent(column -> item.problem(quote(column) + " is given twice", "remove one of the two"));
        }
        return columns;
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
