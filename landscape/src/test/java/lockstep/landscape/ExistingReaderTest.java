package lockstep.landscape;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.networknt.schema.InputFormat;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads landscapes of databases and networks that exist already. */
class ExistingReaderTest {
    private static final Path SCHEMA = Path.of("../lockstep.schema.json");
    /** Two accounts without a product. */
    static final String VALID = """
            release: "1.0.0"
            region: eu-central-1
            accounts:
              live:
                id: "111111111111"
                purpose: production
                network:
                  vpc: vpc-0aaaaaaaaaaaaaaaa
                  cidr: 10.20.0.0/16
                  subnets: {eu-central-1a: subnet-0aaaaaaaaaaaaaaa1, eu-central-1b: subnet-0aaaaaaaaaaaaaaa2}
                  endpoints: [s3, secretsmanager]
                shards:
                  shop-1:
                    edition: production
                    database:
                      host: shop.cluster-abc.eu-central-1.rds.amazonaws.com
                      name: shop
                      secret: arn:aws:secretsmanager:eu-central-1:111111111111:secret:rds!cluster-0a1b-AbCdEf
                      local: {url: "postgresql://postgres@localhost:5433/shop", passwordFile: keys/shop.password}
              trial:
                id: "222222222222"
                purpose: demo
                network:
                  vpc: vpc-0bbbbbbbbbbbbbbbb
                  cidr: 10.30.0.0/16
                  subnets: {eu-central-1a: subnet-0bbbbbbbbbbbbbbb1, eu-central-1c: subnet-0bbbbbbbbbbbbbbb2}
                  routeTables: [rtb-0bbbbbbbbbbbbbbb1, rtb-0bbbbbbbbbbbbbbb2]
                  securityGroup: sg-0bbbbbbbbbbbbbbbb
                  namespace: {id: ns-abcdefgh12345678, name: apps.internal}
                shards:
                  trial-1:
                    edition: demo
                    database:
                      host: db.trial.internal
                      port: 6432
                      name: Shop_1
                      secret: arn:aws:secretsmanager:eu-central-1:222222222222:secret:shop/admin-AbCdEf
                      ca: ca.pem
                      local: {url: "postgresql://me@127.0.0.1:5433/trial", passwordFile: /keys/trial, ca: own.pem}
            dataSets:
              prices:
                source: shop-1
                tables:
                  public.price: {key: [id], columns: [id, amount]}
            """;

    @TempDir Path directory;

    @Test
    void databasesAndNetworks() throws IOException {
        var landscape = LandscapeReader.read(file(VALID));
        assertEquals(Optional.empty(), landscape.product());
        var live = landscape.accounts().get(0);
        assertEquals(Optional.of(new ExistingNetwork("vpc-0aaaaaaaaaaaaaaaa", "10.20.0.0/16",
                Map.of("eu-central-1a", "subnet-0aaaaaaaaaaaaaaa1", "eu-central-1b", "subnet-0aaaaaaaaaaaaaaa2"), Map.of(), List.of(),
                List.of("s3", "secretsmanager"), Optional.empty(), Optional.empty())), live.network());
        assertEquals(Optional.of(new ExistingDatabase("shop.cluster-abc.eu-central-1.rds.amazonaws.com", 5432, "shop",
                "arn:aws:secretsmanager:eu-central-1:111111111111:secret:rds!cluster-0a1b-AbCdEf", Optional.empty(),
                Optional.of(new ExistingDatabase.Local("localhost", 5433, "shop", "postgres", directory.resolve("keys/shop.password"),
                        Optional.empty())),
                Optional.empty())),
                live.shards().getFirst().database());
        assertEquals(List.of(), live.applicationsOf(Edition.PRODUCTION));
        var trial = landscape.accounts().get(1);
        assertEquals(Optional.of(new ExistingNetwork.Namespace("ns-abcdefgh12345678", "apps.internal")),
                trial.network().orElseThrow().namespace());
        assertEquals(List.of("rtb-0bbbbbbbbbbbbbbb1", "rtb-0bbbbbbbbbbbbbbb2"), trial.network().orElseThrow().routeTables());
        var database = trial.shards().getFirst().database().orElseThrow();
        assertEquals(6432, database.port());
        assertEquals(Optional.of(directory.resolve("ca.pem")), database.ca());
        assertEquals(Path.of("/keys/trial"), database.local().orElseThrow().passwordFile());
        assertEquals(Optional.of(directory.resolve("own.pem")), database.local().orElseThrow().ca());
        assertEquals(List.of(false, false), landscape.accounts().stream().map(a -> a.shards().getFirst().isCreatedLocally()).toList());
    }

    @Test
    void theLocalCloudMayCreateOneFromItsSchema() throws IOException {
        var shard = LandscapeReader.read(file(VALID.replaceFirst("local: \\{.*}", "localSchema: schema.sql"))).accounts().getFirst()
                .shards()
                .getFirst();
        assertEquals(Optional.of(directory.resolve("schema.sql")), shard.database().orElseThrow().localSchema());
        assertTrue(shard.isCreatedLocally());
        assertFalse(shard.runsProduct());
        assertProblem("          local: {url: \"postgresql://postgres",
                "          localSchema: schema.sql\n          local: {url: \"postgresql://postgres",
                "19: accounts.live.shards.shop-1.database.localSchema: the local cloud uses the database of 'local';"
                        + " remove one of the two");
    }

    @Test
    void mistakes() {
        assertProblem("    network:\n      vpc: vpc-0a", "    limits: {functions: 9}\n    x:\n      vpc: vpc-0a",
                "4: accounts.live: 'network' is missing;"
                        + " add network: the existing network from which the databases can be reached");
        assertProblem("222222222222:secret:shop/admin-", "111111111111:secret:shop/admin-",
                "37: accounts.trial.shards.trial-1.database.secret:"
                        + " 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:shop/admin-AbCd"
                        + "Ef' is not a secret of account trial; copy it into that account, because no account may read secrets of"
                        + " another");
        assertProblem("db.trial.internal", "shop.cluster-abc.eu-central-1.rds.amazonaws.com",
                "34: accounts.trial.shards.trial-1.database.host: 'shop.cluster-abc.eu-central-1.rds.amazonaws.com' is also the server of "
                        + "shard shop-1 of account live in line 15; give each account a server of its own");
        assertProblem("127.0.0.1:5433/trial", "127.0.0.1:5433/shop",
                "39: accounts.trial.shards.trial-1.database.local.url: this is already the database of shard shop-1 in line 15; give each "
                        + "shard a database of its own");
        assertProblem("vpc-0bbbbbbbbbbbbbbbb", "vpc-0aaaaaaaaaaaaaaaa",
                "24: accounts.trial.network.vpc: 'vpc-0aaaaaaaaaaaaaaaa' is already the network of account live in line 7; give each "
                        + "account a network of its own");
        assertProblem("postgresql://me@127", "postgresql://me:secret@127",
                "39: accounts.trial.shards.trial-1.database.local.url: 'postgresql://me:secret@127.0.0.1:5433/trial' is not the URL of a "
                        + "database on this machine, with its administrator but without a password; write it like "
                        + "postgresql://postgres@localhost:5432/shop, and put the password into the file 'passwordFile'");
        assertProblem("127.0.0.1:5433", "10.0.0.1:5433",
                "39: accounts.trial.shards.trial-1.database.local.url: 'postgresql://me@10.0.0.1:5433/trial' is not the URL of a database "
                        + "on this machine, with its administrator but without a password; write it like "
                        + "postgresql://postgres@localhost:5432/shop, and put the password into the file 'passwordFile'");
        assertProblem("host: db.trial.internal", "host: localhost",
                "34: accounts.trial.shards.trial-1.database.host: 'localhost' is not a host name or address that the account's network "
                        + "resolves; write it like shop.cluster-abc123.eu-central-1.rds.amazonaws.com; a database of this machine"
                        + " belongs in"
                        + " 'local'");
        assertProblem("port: 6432", "port: 70000",
                "35: accounts.trial.shards.trial-1.database.port: '70000' is not a port from 1 to 65535; write it like 5432");
        assertProblem(", rtb-0bbbbbbbbbbbbbbb2]", "]",
                "23: accounts.trial.network: the endpoint of S3 needs the route table of each subnet, but 'routeTables' has 1 for 2"
                        + " subnets;"
                        + " list them in the order of the subnets, or add s3 to 'endpoints' if there is one");
        assertProblem(", eu-central-1b: subnet-0aaaaaaaaaaaaaaa2}", "}",
                "10: accounts.live.network.subnets: there are fewer than two zones; name a private subnet in each of at least two zones");
        assertProblem("secretsmanager]", "s3, rds]",
                "11: accounts.live.network.endpoints[2]: 'rds' is not a service for which Lockstep creates an endpoint; write s3, "
                        + "secretsmanager, sts, kms, ecr.api, ecr.dkr, states, logs or sns, or remove it");
        assertProblem("        edition: demo\n", "        edition: demo\n        tenantsExpireAfter: 7d\n",
                "33: accounts.trial.shards.trial-1.tenantsExpireAfter: an existing database has no tenantsExpireAfter; remove it");
        assertProblem("    shards:\n      trial-1:",
                "    proxies: {demo: {host: a.example, certificate: \"arn:aws:acm:eu-central-1:222222222222:"
                        + "certificate/0a\"}}\n    shards:\n      other-1: {edition: demo}\n      trial-1:",
                "1: 'product' is missing; add product: {name: shop, build: image, port: 8443, health: /health, commands: {serve: [serve], "
                        + "migrate: [migrate]}}",
                "23: accounts.trial.network: 'publicSubnets' is missing; add publicSubnets: the subnets of the proxies' load balancers, by "
                        + "zone");
        assertProblem("    shards:\n      trial-1:",
                "    proxies: {demo: {host: a.example, certificate: \"arn:aws:acm:eu-central-1:222222222222:"
                        + "certificate/0a\"}}\n    shards:\n      trial-1:",
                "23: accounts.trial.network: 'publicSubnets' is missing; add publicSubnets: the subnets of the proxies' load balancers, by "
                        + "zone",
                "30: accounts.trial.proxies.demo: account trial has no shard of the demo edition that runs the product; remove this"
                        + " proxy, or"
                        + " add such a shard");
    }

    @Test
    void theSchemaKnowsTheSame() throws IOException {
        JsonNode schema = JsonMapper.shared().readTree(SCHEMA.toFile()).get("$defs");
        Map.of("database", ExistingReader.DATABASE, "local", ExistingReader.LOCAL, "network", ExistingReader.NETWORK, "namespace",
                ExistingReader.NAMESPACE).forEach((name, fields) -> {
                    assertEquals(fields.stream().map(YamlValue.Field::name).toList(),
                            List.copyOf(schema.get(name).get("properties").propertyNames()));
                    assertEquals(fields.stream().filter(YamlValue.Field::required).map(YamlValue.Field::name).toList(),
                            schema.get(name).get("required").valueStream().map(JsonNode::asString).toList());
                });
        Map.of("/database/properties/host", ExistingReader.DATABASE_HOST, "/database/properties/name", ExistingReader.DATABASE_NAME,
                "/database/properties/secret", ExistingReader.SECRET, "/local/properties/url", ExistingReader.LOCAL_URL,
                "/network/properties/vpc", ExistingReader.VPC, "/network/properties/cidr", ExistingReader.CIDR,
                "/network/properties/routeTables/items", ExistingReader.ROUTE_TABLE, "/subnets/propertyNames", ExistingReader.ZONE,
                "/subnets/additionalProperties", ExistingReader.SUBNET, "/namespace/properties/id", ExistingReader.NAMESPACE_ID)
                .forEach((place, format) -> assertEquals("^" + format.pattern() + "$", schema.at(place).get("pattern").asString()));
        assertEquals("^" + ExistingReader.GROUP.pattern() + "$", schema.at("/network/properties/securityGroup/pattern").asString());
        assertEquals(ExistingReader.ENDPOINT.pattern().pattern().replace("\\.", "."), schema.at("/network/properties/endpoints/items/enum")
                .valueStream().map(JsonNode::asString).collect(java.util.stream.Collectors.joining("|")));
        assertEquals(List.of(), SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12).getSchema(Files.readString(SCHEMA))
                .validate(VALID, InputFormat.YAML));
    }

    private void assertProblem(String replaced, String by, String... problems) {
        String changed = VALID.replace(replaced, by);
        var found = assertThrows(LandscapeException.class, () -> LandscapeReader.read(file(changed)), replaced).problems().stream()
                .filter(problem -> !problem.message().contains("unknown field")).toList();
        assertEquals(List.of(problems),
                found.stream().map(problem -> problem.line() + ": " + (problem.path().isEmpty() ? "" : problem.path()
                        + ": ") + problem.message() + "; " + problem.fix()).toList());
    }

    private Path file(String text) throws IOException {
        return Files.writeString(directory.resolve("lockstep.yaml"), text);
    }
}
