package lockstep.landscape;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LandscapeReaderTest {
    private static final String VALID = """
            product: {name: clinic, build: image, port: 8443, health: /health, commands: {serve: [serve], migrate: [migrate]}}
            release: "0.1.0"
            region: eu-central-1
            accounts:
              production:
                id: "111111111111"
                purpose: production
                shards:
                  clinic-1: {edition: production}
              demo:
                id: "222222222222"
                purpose: demo
                shards:
                  demo-1: {edition: demo}
            dataSets:
              master:
                source: clinic-1
                tables:
                  master.drug:
                    key: [id]
                    columns: [id, name]
                  master.disease:
                    key: [code]
                    columns: [code]
                    where: valid_to IS NULL
            """;

    private static final String IMAGE = "222222222222.dkr.ecr.eu-central-1.amazonaws.com/clinic@sha256:" + "0a".repeat(32);

    private static final String DIFFERENCES = """
            differences:
              - what: [shard.Database.DeletionProtection, "*.DeletionPolicy"]
                reason: Demo is deleted at will
                check: nothing
              - what:
                  - proxy.*.environment.GATEWAY_*
                reason: >-
                  Visitors may sign up,
                  in steps
                check: sign up
            """;
    private static final String PRODUCTION_SHARDS = "      clinic-1: {edition: production}\n";
    private static final String DEMO_SHARDS = "      demo-1: {edition: demo}\n";

    /** The valid file with one text replaced, and the single resulting problem without the file's name. */
    record Mistake(String name, String replaced, String by, String problem) {
        @Override
        public String toString() {
            return name;
        }
    }

    static List<Mistake> mistakes() {
        return List.of(
                new Mistake("tab for indentation", "  production:", "\tproduction:",
                        "5: 'production:' is not YAML: found character '\\t(TAB)' that cannot start any token. (Do not use \\t(TAB) for "
                                + "indentation)"
                                + "; check quotes, brackets and indentation (spaces, not tabs)"),
                new Mistake("bracket left open", "key: [id]", "key: [id",
                        "21: 'columns: [id, name]' is not YAML: expected ',' or ']', but got :"
                                + "; check quotes, brackets and indentation (spaces, not tabs) from line 20"),
                new Mistake("second document", "dataSets:", "---\ndataSets:",
                        "15: '---' is not YAML: but found another document"
                                + "; check quotes, brackets and indentation (spaces, not tabs) from line 1"),
                new Mistake("quote left open", "\"222222222222\"", "\"222222222222",
                        "26: the end of the file is not YAML: found unexpected end of stream; check quotes, brackets and indentation "
                                + "(spaces, not tabs) from line 11"),
                new Mistake("alias without anchor", "source: clinic-1", "source: *first",
                        "17: 'source: *first' is not YAML: found undefined alias first; check quotes, brackets and indentation (spaces, "
                                + "not tabs)"),
                new Mistake("control character", "region:", "\u0007region:",
                        "3: the character U+0007 is not allowed in YAML; remove it"),
                new Mistake("duplicate field", "    purpose: demo\n", "    purpose: demo\n    purpose: qa\n",
                        "13: accounts.demo.purpose: 'purpose' is already defined in line 12; remove or rename one of the two"),
                new Mistake("name that is a list", "region: eu-central-1\n", "region: eu-central-1\n? [a, b]\n: c\n",
                        "4: the name of an entry is a list of 2; write a plain name"),

                new Mistake("proxy of an edition that is not there", DEMO_SHARDS,
                        DEMO_SHARDS + "    proxies:\n      production: {host: a.example}\n",
                        "16: accounts.demo.proxies.production: account demo has no shard of the production edition that runs the "
                                + "product; remove this proxy, or "
                                + "add such a shard"),
                new Mistake("proxy of an edition that does not exist", DEMO_SHARDS,
                        DEMO_SHARDS + "    proxies:\n      trial: {host: a.example}\n",
                        "16: accounts.demo.proxies.trial: 'trial' is not an edition; write production or demo"),
                new Mistake("account in another region than the source of what it receives", DEMO_SHARDS,
                        DEMO_SHARDS + "    region: us-east-1\n",
                        "15: accounts.demo.region: account demo is in us-east-1 and could not read data set master, whose source is in "
                                + "eu-central-1: its network has no internet access, so it reaches S3 and KMS of its own region only; use "
                                + "the region of account production"),
                new Mistake("account in another partition", DEMO_SHARDS, DEMO_SHARDS + "    region: cn-north-1\n",
                        "15: accounts.demo.region: 'cn-north-1' is in the partition aws-cn, but the landscape's region is in aws: accounts "
                                + "of different partitions can't trust each other; use a landscape file for each partition"),
                new Mistake("region of a partition whose names are not known", "eu-central-1", "us-iso-east-1",
                        "3: region: 'us-iso-east-1' is not a region of the partitions aws, aws-cn and aws-us-gov; write it like "
                                + "eu-central-1"),
                new Mistake("one zone", DEMO_SHARDS, DEMO_SHARDS + "    zones: [eu-central-1a, eu-central-1a]\n",
                        "15: accounts.demo.zones: a network has two zones; name two different zones of the account's region"),
                new Mistake("region for a zone", DEMO_SHARDS, DEMO_SHARDS + "    zones: [eu-central-1a, eu-central-1]\n",
                        "15: accounts.demo.zones[1]: 'eu-central-1' is not an availability zone; write it like eu-central-1a"),
                new Mistake("too few functions", DEMO_SHARDS, DEMO_SHARDS + "    limits: {functions: 3}\n",
                        "15: accounts.demo.limits.functions: '3' is not a whole number of functions from 4 to 99999; write it like 10"),
                new Mistake("demo proxy without a certificate", DEMO_SHARDS, DEMO_SHARDS + "    proxies:\n      demo: {host: a.example}\n",
                        "16: accounts.demo.proxies.demo: 'certificate' is missing; add certificate: the ARN of the load balancer's ACM "
                                + "certificate"),
                new Mistake("sign-up in production", PRODUCTION_SHARDS,
                        PRODUCTION_SHARDS + "    proxies:\n      production: {host: a.example, signUp: open}\n",
                        "11: accounts.production.proxies.production.signUp: the production edition has no signUp; remove it"),
                new Mistake("banner in production", PRODUCTION_SHARDS,
                        PRODUCTION_SHARDS + "    proxies:\n      production: {host: a.example, banner: Hello}\n",
                        "11: accounts.production.proxies.production.banner: the production edition has no banner; remove it"),
                new Mistake("rate of nothing", PRODUCTION_SHARDS,
                        PRODUCTION_SHARDS + "    proxies:\n      production: {host: a.example, rateLimit: 0}\n",
                        "11: accounts.production.proxies.production.rateLimit: '0' is not a whole number of requests per second from 1 to "
                                + "999999; write it like 20, or remove the field"),
                new Mistake("tenants that expire in production", "{edition: production}", "{edition: production, tenantsExpireAfter: 7d}",
                        "9: accounts.production.shards.clinic-1.tenantsExpireAfter: tenants of the production edition never expire; "
                                + "remove it"),
                new Mistake("age without a unit", "{edition: demo}", "{edition: demo, tenantsExpireAfter: 7}",
                        "14: accounts.demo.shards.demo-1.tenantsExpireAfter: '7' is not a number of hours or days; "
                                + "write it like 12h or 7d"),
                new Mistake("half a version", "{edition: demo}", "{edition: demo, postgres: \"17\"}",
                        "14: accounts.demo.shards.demo-1.postgres: '17' is not a version of Aurora PostgreSQL; write it like \"17.9\""),
                new Mistake("unknown field, like a known one", "    where:", "    wehre:",
                        "25: dataSets.master.tables.master.disease.wehre: unknown field 'wehre'; did you mean 'where'?"),
                new Mistake("unknown field, like a missing one", "columns: [id, name]", "Colums: [id, name]",
                        "21: dataSets.master.tables.master.drug.Colums: unknown field 'Colums'; did you mean 'columns'?"),
                new Mistake("unknown field, like none", "{edition: demo}", "{edition: demo, size: huge}",
                        "14: accounts.demo.shards.demo-1.size: unknown field 'size'; remove it; the fields here are edition, "
                                + "tenantsExpireAfter, reader, postgres, database"),
                new Mistake("unknown field at the top", "region: eu-central-1\n", "region: eu-central-1\nowner: me\n",
                        "4: owner: unknown field 'owner'; remove it; the fields here are product, release, region, accounts, dataSets, "
                                + "differences, delivery, migrations"),
                new Mistake("field missing at the top", "region: eu-central-1\n", "",
                        "1: 'region' is missing; add region: eu-central-1"),
                new Mistake("field missing", "    purpose: demo\n", "",
                        "10: accounts.demo: 'purpose' is missing; add purpose: production, demo or qa"),

                new Mistake("list instead of map", "      demo-1: {edition: demo}", "      - demo-1",
                        "13: accounts.demo.shards: expected a map, not a list of 1; write {demo-1: {edition: demo}}"),
                new Mistake("text instead of map", "{edition: demo}", "demo",
                        "14: accounts.demo.shards.demo-1: expected a map, not the text 'demo'; write {edition: demo}"),
                new Mistake("text instead of list", "key: [id]", "key: id",
                        "20: dataSets.master.tables.master.drug.key: expected a list, not the text 'id'; write [id], the columns that "
                                + "identify a row"),
                new Mistake("map instead of text", "region: eu-central-1", "region: {eu: central-1}",
                        "3: region: expected a text, not a map of 1; write eu-central-1"),
                new Mistake("list instead of column", "columns: [id, name]", "columns: [id, [name]]",
                        "21: dataSets.master.tables.master.drug.columns[1]: expected a text, not a list of 1"
                                + "; write [id, name], all columns that may leave the source"),
                new Mistake("nothing instead of text", "name: clinic", "name:",
                        "1: product.name: expected a text, not nothing; write shop"),
                new Mistake("nothing instead of map", "      demo-1: {edition: demo}\n", "",
                        "13: accounts.demo.shards: expected a map, not nothing; write {demo-1: {edition: demo}}"),
                new Mistake("no accounts", VALID.substring(VALID.indexOf("accounts:"), VALID.indexOf("dataSets:")), "accounts: {}\n",
                        "4: accounts: the map is empty; write {demo: {id: \"222222222222\", purpose: demo, shards: {demo-1: {edition: "
                                + "demo}}}}"),
                new Mistake("no data sets", VALID.substring(VALID.indexOf("dataSets:")), "dataSets: {}\n",
                        "15: dataSets: the map is empty; write {master: {source: shop-1, tables: {master.drug: {key: [id], columns: "
                                + "[id, name]}}}}"),

                new Mistake("product that is only a name", VALID.lines().findFirst().orElseThrow(), "product: clinic",
                        "1: product: expected a map, not the text 'clinic'; write {name: shop, build: image, port: 8443, health: /health, "
                                + "commands: {serve: [serve], migrate: [migrate]}}"),
                new Mistake("product named like another container", "name: clinic", "name: migrate",
                        "1: product.name: 'migrate' is the name of a container beside the product's; give the product another name"),
                new Mistake("product without an image", "build: image, ", "",
                        "1: product: 'build' or 'image' is missing; add build: the directory with the product's Dockerfile"),
                new Mistake("product with two images", "build: image", "build: image, image: " + IMAGE,
                        "1: product.image: the image is given by 'build' too; remove one of the two"),
                new Mistake("image of a registry that tasks cannot reach", "build: image", "image: docker.io/shop:1",
                        "1: product.image: 'docker.io/shop:1' is not an image in ECR, the only registry that tasks can reach, with its tag "
                                + "or digest; write it like 222222222222.dkr.ecr.eu-central-1.amazonaws.com/shop:1.0.0"),
                new Mistake("port without privileges", "port: 8443", "port: 443",
                        "1: product.port: '443' is not a port from 1024 to 65535; write it like 8443"),
                new Mistake("port above all", "port: 8443", "port: 70000",
                        "1: product.port: '70000' is not a port from 1024 to 65535; write it like 8443"),
                new Mistake("port of the health check", "port: 8443", "port: 8081",
                        "1: product.port: '8081' is the port of the container's health check; write it like 8443"),
                new Mistake("health path that is relative", "health: /health", "health: health",
                        "1: product.health: 'health' is not an absolute path of letters, digits and -._~/; write it like /health"),
                new Mistake("product that cannot migrate", ", migrate: [migrate]", "",
                        "1: product.commands: 'migrate' is missing; add migrate: [migrate]"),
                new Mistake("command of no words", "serve: [serve]", "serve: []",
                        "1: product.commands.serve: the list is empty; write [serve]"),
                new Mistake("product name", "name: clinic", "name: Clinic",
                        "1: product.name: 'Clinic' is not a name of at most 30 lowercase letters, digits and single hyphens, starting "
                                + "with a "
                                + "letter; write it like shop-1"),
                new Mistake("account name", "  demo:\n", "  2demo:\n",
                        "10: accounts.2demo: '2demo' is not a name of at most 30 lowercase letters, digits and single hyphens, starting "
                                + "with a letter; write it like shop-1"),
                new Mistake("shard name", "demo-1:", "demo_1:",
                        "14: accounts.demo.shards.demo_1: 'demo_1' is not a name of at most 30 lowercase letters, digits and single "
                                + "hyphens, starting with a letter"
                                + "; write it like shop-1"),
                new Mistake("shard name of 31 letters", "demo-1:", "d".repeat(31) + ":",
                        ("14: accounts.demo.shards.%1$s: '%1$s' is not a name of at most 30 lowercase letters, digits and single hyphens, "
                                + "starting with a letter; write it like shop-1")
                                .formatted("d".repeat(31))),
                new Mistake("data set name of 27 letters", "  master:\n", "  " + "m".repeat(27) + ":\n",
                        ("16: dataSets.%1$s: '%1$s' is not a name of at most 18 lowercase letters, digits and single hyphens, starting "
                                + "with a letter; write it like master")
                                .formatted("m".repeat(27))),
                new Mistake("release", "\"0.1.0\"", "0.1/0",
                        "2: release: '0.1/0' is not a release of at most 64 letters, digits, dots, hyphens and underscores; write it like "
                                + "\"1.0.0\""),
                new Mistake("region", "eu-central-1", "Frankfurt",
                        "3: region: 'Frankfurt' is not a region of the partitions aws, aws-cn and aws-us-gov; write it like eu-central-1"),
                new Mistake("zone for a region", "eu-central-1", "eu-central-1a",
                        "3: region: 'eu-central-1a' is not a region of the partitions aws, aws-cn and "
                                + "aws-us-gov; write it like eu-central-1"),

                new Mistake("account id too short", "\"222222222222\"", "\"12345\"",
                        "11: accounts.demo.id: '12345' is not an AWS account id of 12 digits; write it quoted, as \"222222222222\""),
                new Mistake("account id unquoted, spelt as the file spells it", "\"222222222222\"", "0012345",
                        "11: accounts.demo.id: '0012345' is not an AWS account id of 12 digits; write it quoted, as \"222222222222\""),
                new Mistake("two accounts with one id", "\"222222222222\"", "\"111111111111\"",
                        "11: accounts.demo.id: '111111111111' is already the id of account production in line 5; give each account its "
                                + "own id"),
                new Mistake("unknown purpose", "purpose: demo", "purpose: staging",
                        "12: accounts.demo.purpose: 'staging' is not one of production, demo, qa; write production, demo or qa"),
                new Mistake("misspelt purpose", "purpose: production", "purpose: Producton",
                        "7: accounts.production.purpose: 'Producton' is not one of production, demo, qa; did you mean 'production'?"),
                new Mistake("unknown edition", "{edition: demo}", "{edition: trial}",
                        "14: accounts.demo.shards.demo-1.edition: 'trial' is not one of production, demo; write production or demo"),
                new Mistake("shard twice in an account", "      demo-1: {edition: demo}\n",
                        "      demo-1: {edition: demo}\n      demo-1: {edition: demo}\n",
                        "15: accounts.demo.shards.demo-1: 'demo-1' is already defined in line 14; remove or rename one of the two"),
                new Mistake("shard in two accounts", "demo-1:", "clinic-1:",
                        "14: accounts.demo.shards.clinic-1: 'clinic-1' is already a shard of account production in line 9; give each "
                                + "shard a unique name"),
                new Mistake("demo edition in production", "clinic-1: {edition: production}",
                        "clinic-1: {edition: production}\n      demo-2: {edition: demo}",
                        "10: accounts.production.shards.demo-2.edition: the demo edition is not allowed in account production, whose "
                                + "purpose is production"
                                + "; move shard demo-2 to an account of purpose demo or qa"),
                new Mistake("production edition in demo", "{edition: demo}", "{edition: production}",
                        "14: accounts.demo.shards.demo-1.edition: the production edition is not allowed in account demo, whose purpose is "
                                + "demo"
                                + "; move shard demo-1 to an account of purpose production or qa"),

                new Mistake("source that is almost a shard", "source: clinic-1", "source: clinic1",
                        "17: dataSets.master.source: there is no shard 'clinic1'; did you mean 'clinic-1'?"),
                new Mistake("source that is no shard", "source: clinic-1", "source: headquarters",
                        "17: dataSets.master.source: there is no shard 'headquarters'; write one of clinic-1, demo-1"),
                new Mistake("source of the demo edition", "source: clinic-1", "source: demo-1",
                        "17: dataSets.master.source: 'demo-1' is of the demo edition, which the public may write to; name a shard of the "
                                + "production edition"),
                new Mistake("table twice", "master.disease:", "master.drug:",
                        "22: dataSets.master.tables.master.drug: 'master.drug' is already defined in line 19; remove or rename one of the "
                                + "two"),
                new Mistake("table in two data sets", "where: valid_to IS NULL\n",
                        "where: a\n  other: {source: clinic-1, tables: {master.drug: {key: [id], columns: [id]}}}\n",
                        "26: dataSets.other.tables.master.drug: 'master.drug' is already a table of data set master in line 19; remove "
                                + "one of the two"),
                new Mistake("table without schema", "master.drug:", "drug:",
                        "19: dataSets.master.tables.drug: 'drug' is not schema.table as in SQL"
                                + "; write it like master.drug, or like '\"Order Desk\".\"lineItem\"' if it has anything but lowercase "
                                + "letters, digits and underscores"),
                new Mistake("table with capitals and no quotes", "master.drug:", "master.Drug:",
                        "19: dataSets.master.tables.master.Drug: 'master.Drug' is not schema.table as in SQL"
                                + "; write it like master.drug, or like '\"Order Desk\".\"lineItem\"' if it has anything but lowercase "
                                + "letters, digits and underscores"),
                new Mistake("table spelled in two ways", "master.disease:", "'master.\"drug\"':",
                        "22: dataSets.master.tables.master.\"drug\": 'master.drug' is already a table of data set master in line 19; "
                                + "remove one of the two"),
                new Mistake("table with too long a name", "master.drug:", "master." + "a".repeat(64) + ":",
                        "19: dataSets.master.tables.master." + "a".repeat(64) + ": a PostgreSQL name has 1 to 63 bytes, but '"
                                + "a".repeat(64) + "' has 64; write the name that the database truncated it to"),
                new Mistake("table without key", "        key: [id]\n", "",
                        "19: dataSets.master.tables.master.drug: 'key' is missing; add key: [id], the columns that identify a row"),
                new Mistake("empty key", "key: [id]", "key: []",
                        "20: dataSets.master.tables.master.drug.key: the list is empty; write [id], the columns that identify a row"),
                new Mistake("key not among the columns", "key: [id]", "key: [id, seq]",
                        "20: dataSets.master.tables.master.drug.key[1]: 'seq' is not among the columns; add it to the columns, or choose "
                                + "another key"),
                new Mistake("empty columns", "columns: [id, name]", "columns: []",
                        "21: dataSets.master.tables.master.drug.columns: the list is empty; write [id, name], all columns that may leave "
                                + "the source"),
                new Mistake("column twice, in a list of lines", "columns: [id, name]",
                        "columns:\n          - id\n          - name\n          - id",
                        "24: dataSets.master.tables.master.drug.columns[2]: 'id' is given twice; remove one of the two"),
                new Mistake("column name", "columns: [id, name]", "columns: [id, name, \"a\\tb\"]",
                        "21: dataSets.master.tables.master.drug.columns[2]: 'a\tb' is not the name of a column: 1 to 63 characters "
                                + "without control characters"
                                + "; write it as the catalog stores it, without SQL quotes, like drug_id or lineItem"),
                new Mistake("column with too many bytes", "columns: [id, name]", "columns: [id, " + "größe".repeat(10) + "]",
                        "21: dataSets.master.tables.master.drug.columns[1]: '" + "größe".repeat(10)
                                + "' has more than 63 bytes; write the name that the database truncated it to"),
                new Mistake("blank condition", "where: valid_to IS NULL", "where: ' '",
                        "25: dataSets.master.tables.master.disease.where: ' ' is not an SQL condition; write one, or remove the field"));
    }

    private static final String OLD_SECRET = "arn:aws:secretsmanager:eu-central-1:111111111111:secret:old-reader-AbCdEf";

    @TempDir private Path directory;

    @ParameterizedTest
    @MethodSource("mistakes")
    void namesLineValueAndFix(Mistake mistake) throws IOException {
        assertTrue(VALID.contains(mistake.replaced), "the valid file contains the text to replace");
        String edited = VALID.replaceFirst(Pattern.quote(mistake.replaced), Matcher.quoteReplacement(mistake.by));
        assertEquals(file(edited) + ":" + mistake.problem, problemsOf(edited).getMessage());
    }

    @Test
    void namesAreThoseOfTheCatalogueOnceTheFileIsRead() throws IOException {
        var table = LandscapeReader.read(file(VALID.replace("master.drug:", "'\"Order Desk\".\"line\"\"Item\"':")
                .replaceFirst("columns: \\[id, name]", "columns: [id, größe, select, 'Unit Price']"))).dataSets().getFirst().tables()
                .getFirst();
        assertEquals("\"Order Desk\".\"line\"\"Item\"", table.name());
        assertEquals(new TableName("Order Desk", "line\"Item"), TableName.parse(table.name()));
        assertEquals(List.of("id", "größe", "select", "Unit Price"), table.columns());
    }

    @Test
    void allProblemsAtOnceInTheOrderOfTheFile() throws IOException {
        var failure = problemsOf("""
                product: {name: clinic, build: image, port: 8443, health: /health, commands: {serve: [serve], migrate: [migrate]}}
                region: Frankfurt
                dataSets:
                  master:
                    source: clinic-9
                    tables:
                      drug: {columns: [id, id]}
                      master.disease: {key: [code], columns: []}
                accounts:
                  production: {id: 12345, purpose: production, shards: {clinic-1: {edition: demo}}}
                  demo:
                    id: "12345"
                    purpose: demos
                    shards: [demo-1]
                    owner: me
                """);
        assertEquals("""
                FILE:1: 'release' is missing; add release: "1.0.0"
                FILE:2: region: 'Frankfurt' is not a region of the partitions aws, aws-cn and aws-us-gov; write it like eu-central-1
                FILE:5: dataSets.master.source: there is no shard 'clinic-9'; did you mean 'clinic-1'?
                FILE:7: dataSets.master.tables.drug: 'drug' is not schema.table as in SQL; write it like master.drug, or like '"Order \
                Desk"."lineItem"' if it has anything but lowercase letters, digits and underscores
                FILE:7: dataSets.master.tables.drug: 'key' is missing; add key: [id], the columns that identify a row
                FILE:7: dataSets.master.tables.drug.columns[1]: 'id' is given twice; remove one of the two
                FILE:8: dataSets.master.tables.master.disease.columns: the list is empty; write [id, name], all columns that may leave \
                the source
                FILE:10: accounts.production.id: '12345' is not an AWS account id of 12 digits; write it quoted, as "222222222222"
                FILE:10: accounts.production.shards.clinic-1.edition: the demo edition is not allowed in account production, whose \
                purpose is production; move shard clinic-1 to an account of purpose demo or qa
                FILE:12: accounts.demo.id: '12345' is not an AWS account id of 12 digits; write it quoted, as "222222222222"
                FILE:13: accounts.demo.purpose: 'demos' is not one of production, demo, qa; did you mean 'demo'?
                FILE:14: accounts.demo.shards: expected a map, not a list of 1; write {demo-1: {edition: demo}}
                FILE:15: accounts.demo.owner: unknown field 'owner'; remove it; the fields here are id, purpose, shards, proxies, limits, \
                region, zones, network""",
                failure.getMessage().replace(directory.resolve("lockstep.yaml").toString(), "FILE"));
        assertEquals(new Problem(2, "region",
                "'Frankfurt' is not a region of the partitions aws, aws-cn and aws-us-gov",
                "write it like eu-central-1"), failure.problems().get(1));
    }

    @Test
    void readsWhatTheFileSays() throws IOException {
        assertEquals(new Landscape(product("image"), "0.1.0", "eu-central-1",
                List.of(new Account("production", "111111111111", Purpose.PRODUCTION, List.of(new Shard("clinic-1", Edition.PRODUCTION)),
                        List.of()),
                        new Account("demo", "222222222222", Purpose.DEMO, List.of(new Shard("demo-1", Edition.DEMO)), List.of())),
                List.of(new DataSet("master", "clinic-1", List.of(
                        new Table("master.drug", List.of("id", "name"), List.of("id"), Optional.empty()),
                        new Table("master.disease", List.of("code"), List.of("code"), Optional.of("valid_to IS NULL"))))),
                List.of()),
                LandscapeReader.read(file(VALID)));
    }

    private Product product(String build) {
        return new Product("clinic", directory, new Product.Built(directory.resolve(build)), 8443, "/health",
                new Product.Commands(List.of("serve"), List.of("migrate"), List.of(), List.of(), List.of()), Optional.empty(),
                Optional.empty(), List.of());
    }

    @Test
    void pathsOfTheProductAreRelativeToItsDirectory() throws IOException {
        Path shop = directory.resolve("shop");
        assertEquals(
                new Product("clinic", shop, new Product.Built(shop.resolve("target/image")), 9443, "/up/now",
                        new Product.Commands(List.of("run", "--all"), List.of("migrate"), List.of("add", "{user}"), List.of("./build"),
                                List.of("./seed")),
                        Optional.of(shop.resolve("features.json")), Optional.of(Path.of("/migrations")), List.of("./test")),
                LandscapeReader.read(file(VALID.replaceFirst("product: .*", """
                        product: {name: clinic, directory: ./shop, build: target/image, port: 9443, health: /up/now, features: \
                        features.json, \
                        migrations: /migrations, test: [./test], commands: {serve: [run, --all], migrate: [migrate], \
                        addUser: [add, "{user}"], build: [./build], seed: [./seed]}}"""))).product().orElseThrow());
        assertEquals(new Product.Existing(IMAGE),
                LandscapeReader.read(file(VALID.replace("build: image", "image: \"" + IMAGE + "\""))).product().orElseThrow().image());
    }

    private static final String MIGRATIONS = """
            migrations:
              claims:
                target: clinic-1
                source: {engine: mysql, host: old.clinic.example, name: old, secret: "%s", ca: old.pem, local: [./generate, "9"]}
            """.formatted(OLD_SECRET);

    @Test
    void migrations() throws IOException {
        var source = new MigrationSource(MigrationSource.Engine.MYSQL, "old.clinic.example", Optional.empty(), 3306, "old", OLD_SECRET,
                Optional.of(directory.resolve("old.pem")), List.of("./generate", "9"));
        var claims = new DeclaredMigration("claims", source, "clinic-1", directory.resolve("migrations/claims"));
        assertEquals(List.of(claims), LandscapeReader.read(file(VALID + MIGRATIONS)).migrations());
        var alone = LandscapeReader.read(file(VALID.substring(0, VALID.indexOf("dataSets:"))
                + MIGRATIONS.replace("mysql", "postgres").replace("name: old,", "name: old, replica: copy.clinic.example,")));
        assertEquals(List.of(), alone.dataSets());
        var other = alone.migrationsInto(alone.accounts().getFirst()).getFirst().source();
        assertEquals("copy.clinic.example 5432", other.replica().orElseThrow() + " " + other.port());
        assertEquals(List.of(), alone.migrationsInto(alone.accounts().getLast()));
    }

    @Test
    void mistakesInMigrations() throws IOException {
        String secret = OLD_SECRET.replace("111111111111", "222222222222");
        Path file = file(VALID + MIGRATIONS.replace("clinic-1", "clinic-7").replace("mysql", "oracle") + MIGRATIONS.lines().skip(1).collect(
                Collectors.joining("\n")).replace("claims", "lines").replace(OLD_SECRET, secret));
        int line = (int) VALID.lines().count();
        assertEquals("""
                FILE:%d: migrations.claims.target: there is no shard 'clinic-7'; did you mean 'clinic-1'?
                FILE:%d: migrations.claims.source.engine: 'oracle' is not one of mysql, postgres; write mysql
                FILE:%d: migrations.lines.source.secret: '%s' is not a secret of account production; copy it into that account, because \
                no account may read secrets of another""".formatted(line + 3, line + 4, line + 7, secret),
                assertThrows(LandscapeException.class, () -> LandscapeReader.read(file)).getMessage().replace(file.toString(), "FILE"));
    }

    @Test
    void whoDeploys() throws IOException {
        assertEquals(Optional.empty(), LandscapeReader.read(file(VALID)).delivery());
        var delivery = LandscapeReader.read(file(VALID
                + "delivery: {gitlab: \"https://gitlab.example.com\", project: group/sub/lockstep, ref: main, email: [a@example.com], "
                + "syncFrom: [{project: group/code-lists, ref: main}, {project: other/lists, ref: stable}]}\n"))
                .delivery().orElseThrow();
        assertEquals(new Delivery("https://gitlab.example.com", "group/sub/lockstep", "main", List.of("a@example.com"),
                List.of(new Delivery.Branch("group/code-lists", "main"), new Delivery.Branch("other/lists", "stable"))), delivery);
        assertEquals(List.of("project_path:group/code-lists:ref_type:branch:ref:main",
                "project_path:other/lists:ref_type:branch:ref:stable"), delivery.syncSubjects());
        assertEquals("gitlab.example.com", delivery.issuer());
        assertEquals("project_path:group/sub/lockstep:ref_type:branch:ref:main", delivery.subject());
        assertEquals("project_path:group/sub/lockstep:ref_type:branch:ref:*", delivery.anyBranch());
        assertEquals("example.com/gitlab", new Delivery("https://example.com/gitlab", "g/p", "main", List.of(), List.of()).issuer());
        // each of these would admit more than one branch of one project, or nobody at all
        assertEquals("""
                FILE:27: delivery.gitlab: 'https://gitlab.example.com/' is not the https URL of a GitLab server without a port and \
                without a trailing slash; write it like https://gitlab.example.com
                FILE:28: delivery.project: 'group/*' is not the path of a GitLab project, including its group; write it like group/lockstep
                FILE:29: delivery.ref: 'release-?' is not the name of one branch, without wildcards; write it like main
                FILE:30: delivery.email[0]: 'nobody' is not an email address; write it like operations@example.com
                FILE:30: delivery.email[2]: 'a@example.com' is given twice; remove one of the two
                FILE:31: delivery.syncFrom[0]: 'ref' is missing; add ref: main
                FILE:31: delivery.syncFrom[0].project: '*/lists' is not the path of a GitLab project, including its group; \
                write it like group/lockstep""",
                problemsOf(VALID + """
                delivery:
                  gitlab: https://gitlab.example.com/
                  project: group/*
                  ref: release-?
                  email: [nobody, a@example.com, a@example.com]
                  syncFrom: [{project: "*/lists"}]
                """).getMessage().replace(directory.resolve("lockstep.yaml").toString(), "FILE"));
    }

    @Test
    void whatTriggersDo() throws IOException {
        assertEquals(Triggers.RUN, LandscapeReader.read(file(VALID)).dataSets().getFirst().triggers());
        assertEquals(Triggers.DISABLE, LandscapeReader.read(file(VALID.replace("    tables:", "    triggers: disable\n    tables:")))
                .dataSets().getFirst().triggers());
        assertEquals("FILE:18: dataSets.master.triggers: 'disabled' is not one of run, refuse, disable; did you mean 'disable'?",
                problemsOf(VALID.replace("    tables:", "    triggers: disabled\n    tables:")).getMessage()
                        .replace(directory.resolve("lockstep.yaml").toString(), "FILE"));
    }

    @Test
    void howLongSyncsAreKept() throws IOException {
        assertEquals(Keep.DEFAULT, LandscapeReader.read(file(VALID)).dataSets().getFirst().keep());
        assertEquals(new Keep(5, 0), LandscapeReader
                .read(file(VALID.replace("    tables:", "    keep: {manifests: 5, days: 0}\n    tables:"))).dataSets().getFirst().keep());
        assertEquals(new Keep(30, 7),
                LandscapeReader.read(file(VALID.replace("    tables:", "    keep: {days: 7}\n    tables:"))).dataSets().getFirst().keep());
        assertEquals(
                """
                FILE:18: dataSets.master.keep.days: '-1' is not a whole number of days from 0 to 9999; write it like 90, or remove the field
                FILE:18: dataSets.master.keep.manifests: '0' is not a whole number of manifests from 1 to 9999; write it like 30, or \
                remove the field""",
                problemsOf(VALID.replace("    tables:", "    keep: {manifests: 0, days: -1}\n    tables:")).getMessage()
                        .replace(directory.resolve("lockstep.yaml").toString(), "FILE").lines().sorted()
                        .collect(java.util.stream.Collectors.joining("\n")));
    }

    @Test
    void howShardsAreWatched() throws IOException {
        assertEquals(Watch.DEFAULT, LandscapeReader.read(file(VALID)).dataSets().getFirst().watch());
        assertEquals(new Watch(Duration.ofMinutes(1), Duration.ofHours(3), Duration.ofMinutes(5), Duration.ofDays(30)),
                LandscapeReader
                        .read(file(VALID.replace("    tables:", "    watch: {every: 1m, rows: 3h, behind: 5m, age: 30d}\n    tables:")))
                        .dataSets().getFirst().watch());
        assertEquals(new Watch(Duration.ofHours(2), Watch.DEFAULT.rows(), Watch.DEFAULT.behind(), Watch.DEFAULT.age()),
                LandscapeReader.read(file(VALID.replace("    tables:", "    watch: {every: 2h}\n    tables:"))).dataSets().getFirst()
                        .watch());
        assertTrue(problemsOf(VALID.replace("    tables:", "    watch: {every: 2h, rows: 1h}\n    tables:")).getMessage()
                .contains("dataSets.master.watch.rows: rows are read at one of the checks, which are less frequent"));
        assertEquals("FILE:18: dataSets.master.watch.every: '30s' is not a number of minutes, hours or days; write it like 15m, 1h or 7d",
                problemsOf(VALID.replace("    tables:", "    watch: {every: 30s}\n    tables:")).getMessage()
                        .replace(directory.resolve("lockstep.yaml").toString(), "FILE"));
    }

    @Test
    void whenSyncsStartByThemselves() throws IOException {
        assertEquals(Starting.BY_HAND, LandscapeReader.read(file(VALID)).dataSets().getFirst().starting());
        assertEquals(new Starting(Optional.of("cron(0 4 * * ? *)"), Optional.of(Duration.ofMinutes(5))),
                LandscapeReader.read(file(VALID.replace("    tables:", "    sync: {at: cron(0 4 * * ? *), quiet: 5m}\n    tables:")))
                        .dataSets().getFirst().starting());
        assertEquals(
                "FILE:18: dataSets.master.sync.at: '04:00' is not an EventBridge schedule expression; write it like cron(0 4 * * ? *), "
                        + "which is daily at 4:00 UTC, or rate(6 hours)",
                problemsOf(VALID.replace("    tables:", "    sync: {at: \"04:00\"}\n    tables:")).getMessage()
                        .replace(directory.resolve("lockstep.yaml").toString(), "FILE"));
    }

    @Test
    void whenSyncsAreHeld() throws IOException {
        assertEquals(Holding.DEFAULT, LandscapeReader.read(file(VALID)).dataSets().getFirst().holding());
        var dataSet = LandscapeReader.read(file(VALID.replace("    tables:", "    hold: {for: 12h, changed: 30}\n    tables:"))).dataSets()
                .getFirst();
        assertEquals(new Holding(Duration.ofHours(12), new Hold(30, Hold.DEFAULT.deleted())), dataSet.holding());
        assertEquals(new Hold(30, 50), dataSet.hold(dataSet.tables().getFirst()));
        var drug = LandscapeReader
                .read(file(VALID.replaceFirst("key: \\[id]", "key: [id]\n        hold: {emptied: 20, rows: 3, keys: \"[0-9]+\"}")))
                .dataSets().getFirst();
        assertEquals(new Hold(100, 50, 20, 3, Optional.of("[0-9]+")), drug.hold(drug.tables().getFirst()));
        assertTrue(problemsOf(VALID.replaceFirst("key: \\[id]", "key: [id]\n        hold: {keys: \"[0-9\"}")).getMessage()
                .contains("hold.keys: '[0-9' is not a regular expression: Unclosed character class"));
        var problems = problemsOf(VALID.replace("    tables:", "    hold: {for: 7d, deleted: 101, rows: 0}\n    tables:")).getMessage();
        assertTrue(problems.contains("dataSets.master.hold.for: a sync's notes are deleted after a week; write 6d or less"), problems);
        assertTrue(problems.contains("dataSets.master.hold.deleted: '101' is not a whole percentage from 0 to 100"), problems);
        assertTrue(problems.contains("dataSets.master.hold.rows: '0' is not a whole number of rows from 1 to 1000000"), problems);
    }

    @Test
    void queriesOfTheUsersOwn() throws IOException {
        assertEquals(List.of(), LandscapeReader.read(file(VALID)).dataSets().getFirst().checks());
        assertEquals(List.of(new Check("drugs-have-names", "SELECT count(*) FROM master.drug WHERE name = ''", "0")),
                LandscapeReader.read(file(VALID.replace("    tables:",
                        "    checks: {drugs-have-names: {sql: \"SELECT count(*) FROM master.drug WHERE name = ''\", expected: \"0\"}}\n   "
                                + " tables:")))
                        .dataSets().getFirst().checks());
        assertEquals("FILE:18: dataSets.master.checks.drugs: 'expected' is missing; add expected: its answer, quoted, such as \"0\"",
                problemsOf(VALID.replace("    tables:", "    checks: {drugs: {sql: SELECT 1}}\n    tables:")).getMessage()
                        .replace(directory.resolve("lockstep.yaml").toString(), "FILE"));
    }

    @Test
    void differencesThatAreMeant() throws IOException {
        var differences = LandscapeReader.read(file(VALID + DIFFERENCES)).differences();
        assertEquals(
                List.of(new Difference(List.of("shard.Database.DeletionProtection", "*.DeletionPolicy"), "Demo is deleted at will",
                        "nothing"),
                        new Difference(List.of("proxy.*.environment.GATEWAY_*"), "Visitors may sign up, in steps", "sign up")),
                differences);
        assertTrue(differences.getFirst().covers("shard.Database.DeletionProtection"));
        assertTrue(differences.getFirst().covers("shard.Key.DeletionPolicy"));
        assertTrue(differences.getLast().covers("proxy.gateway.environment.GATEWAY_SIGN_UP"));
        for (var other : List.of("shard.DatabasexDeletionProtection", "shard.Database.DeletionProtection.x",
                "proxy.gateway.environment.GATEWAY", "x.proxy.gateway.environment.GATEWAY_")) {
            assertTrue(differences.stream().noneMatch(difference -> difference.covers(other)), other);
        }
    }

    @Test
    void mistakesInDifferences() throws IOException {
        assertEquals(
                """
                FILE:27: differences[0].what[0]: '*' is not a key that lockstep diff shows, where * matches any text; write it like \
                shard.Database.DeletionProtection or proxy.Firewall*
                FILE:30: differences[1]: 'check' is missing; add check: what QA should try
                FILE:31: differences[1].reason: ' ' is not a single line of at most 500 characters; write one, or shorten it
                FILE:32: differences[2].why: unknown field 'why'; remove it; the fields here are what, reason, check
                FILE:32: differences[2].what[1]: 'proxy.a' is already declared in line 30; remove one of the two
                FILE:33: differences[3].what: expected a list, not the text 'proxy.b'; write [shard.Database.DeletionProtection], keys \
                that lockstep diff shows""",
                problemsOf(VALID + """
                        differences:
                          - what: ["*"]
                            reason: any
                            check: nothing
                          - what: [proxy.a]
                            reason: " "
                          - {what: [proxy.c, proxy.a], reason: any, check: nothing, why: me}
                          - {what: proxy.b, reason: any, check: nothing}
                        """).getMessage().replace(directory.resolve("lockstep.yaml").toString(), "FILE"));
        assertEquals(
                List.of(new Problem(26, "differences", "the list is empty",
                        "write [{what: [shard.Database.DeletionProtection], reason: why, check: what to try}]")),
                problemsOf(VALID + "differences: []\n").problems());
    }

    /** All accounts may be in another region than the landscape's, as long as it is the same for a source and its targets. */
    @Test
    void regionsAndZonesOfAccounts() throws IOException {
        var landscape = LandscapeReader.read(file(VALID.replace(PRODUCTION_SHARDS, PRODUCTION_SHARDS + "    region: us-east-1\n")
                .replace(DEMO_SHARDS,
                        DEMO_SHARDS + "    region: us-east-1\n    zones: [us-east-1a, us-east-1c]\n")));
        assertEquals("eu-central-1", landscape.region());
        assertEquals(List.of("us-east-1", "us-east-1"), landscape.accounts().stream().map(landscape::regionOf).toList());
        assertEquals(List.of(List.of(), List.of("us-east-1a", "us-east-1c")), landscape.accounts().stream().map(Account::zones).toList());
    }

    @Test
    void aProxyAndAnAge() throws IOException {
        var certificate = "arn:aws:acm:eu-central-1:222222222222:certificate/0a";
        var demo = LandscapeReader
                .read(file(VALID.replace(DEMO_SHARDS, "      demo-1: {edition: demo, tenantsExpireAfter: 12h}\n    proxies:\n      demo:\n"
                        + "        {host: a.example, certificate: " + certificate + ", signUp: open, banner: Hello, rateLimit: 20}\n")))
                .accounts().get(1);
        assertEquals(List.of(new Shard("demo-1", Edition.DEMO, Optional.of(Duration.ofHours(12)))), demo.shards());
        assertEquals(
                Optional.of(new Proxy(Edition.DEMO, "a.example", Optional.of(certificate), true, Optional.of("Hello"), OptionalInt.of(20))),
                demo.proxyOf(Edition.DEMO));
        assertEquals(Optional.empty(), demo.proxyOf(Edition.PRODUCTION));
    }

    @Test
    void numbersStayAsTheFileSpellsThem() throws IOException {
        var landscape = LandscapeReader.read(file(VALID.replace("\"0.1.0\"", "1.10").replace("\"222222222222\"", "012345670123")));
        assertEquals("1.10", landscape.release());
        assertEquals("012345670123", landscape.accounts().get(1).id());
    }

    @Test
    void anAliasStandsForItsAnchor() throws IOException {
        var landscape = LandscapeReader
                .read(file(VALID.replace("key: [code]", "key: &code [code]").replace("columns: [code]", "columns: *code")));
        assertEquals(List.of("code"), landscape.dataSets().get(0).tables().get(1).columns());
    }

    @Test
    void aliasesAndDepthAreBounded() throws IOException {
        String bomb = "product: [&a [x], " + "*a, ".repeat(YamlValue.MAX_ALIASES) + "*a]\n";
        String plainly = "write plain YAML, as in the repository's lockstep.yaml";
        assertEquals(
                List.of(new Problem(0, "",
                        "the file cannot be read as YAML: Number of aliases for non-scalar nodes exceeds the specified max=50", plainly)),
                problemsOf(bomb).problems());
        assertEquals(List.of(new Problem(0, "", "the file is nested too deeply", plainly)),
                problemsOf("product: " + "[".repeat(100_000)).problems());
    }

    @Test
    void aMapThatHoldsItselfEnds() throws IOException {
        assertEquals(
                List.of(new Problem(14, "accounts.demo.shards.demo-1.demo-1", "unknown field 'demo-1'",
                        "remove it; the fields here are edition, tenantsExpireAfter, reader, postgres, database"),
                        new Problem(14, "accounts.demo.shards.demo-1", "'edition' is missing", "add edition: production or demo")),
                problemsOf(VALID.replace("shards:\n      demo-1: {edition: demo}", "shards: &shards\n      demo-1: *shards")).problems());
    }

    @Test
    void aFileThatCannotBeRead() throws IOException {
        String start = "start with the repository's lockstep.yaml";
        assertEquals(List.of(new Problem(0, "", "there is no such file", "give the path of a landscape file, or " + start)),
                problemsOf(directory.resolve("missing.yaml")).problems());
        for (String nothing : List.of("", "# only a comment\n")) {
            assertEquals(List.of(new Problem(0, "", "the file is empty", start)), problemsOf(nothing).problems());
        }
        assertEquals("expected a map, not nothing", problemsOf("---\n").problems().get(0).message());
        assertEquals("expected a map, not the text 'hello'", problemsOf("hello\n").problems().get(0).message());
        assertTrue(problemsOf(directory).problems().get(0).message().startsWith("the file cannot be read: "));
        Path latin = Files.write(directory.resolve("latin.yaml"), "product: Zürich\n".getBytes(StandardCharsets.ISO_8859_1));
        assertEquals(List.of(new Problem(0, "", "the file is not UTF-8 text", "save it as UTF-8")), problemsOf(latin).problems());
    }

    private Path file(String text) throws IOException {
        return Files.writeString(directory.resolve("lockstep.yaml"), text);
    }

    private LandscapeException problemsOf(String text) throws IOException {
        return problemsOf(file(text));
    }

    private static LandscapeException problemsOf(Path file) {
        return assertThrows(LandscapeException.class, () -> LandscapeReader.read(file));
    }
}
