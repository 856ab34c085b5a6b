package lockstep.diff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import lockstep.assembly.Assembly;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ComparisonTest {
    /** Keys in every comparison of production and demo: the features of the product, and the additional shard of production. */
    private static final List<String> ALWAYS = List.of("shard.clinic.feature.", "shards:");

    @TempDir private Path directory;
    private TestingAssembly assembly;

    @BeforeEach
    void createAssembly() {
        assembly = new TestingAssembly(directory);
    }

    @Test
    void whatIsOnlyNamedAfterTheSideIsNoDifference() {
        assertEquals(List.of(), found("production", "demo"));
        assertEquals(List.of(), found("demo", "qa/production"));
    }

    @Test
    void anAccountOfAnotherIsNotTheOwn() {
        assembly.with("demo-shard-demo-1", "lockstep-222222222222", "lockstep-111111111111");
        assertEquals(List.of(
                "communication shard.Role/DefaultPolicy.PolicyDocument.allow.kms:Decrypt: arn:aws:s3:::lockstep-<account> → "
                        + "arn:aws:s3:::lockstep-<account production>",
                "communication shard.Role/DefaultPolicy.PolicyDocument.allow.s3:GetObject: arn:aws:s3:::lockstep-<account> → "
                        + "arn:aws:s3:::lockstep-<account production>"),
                found("production", "demo"));
    }

    @Test
    void aFlagASecretAndASize() {
        assembly.with("demo-demo-proxy", "\"closed\"}",
                "\"open\"}, {\"Name\": \"GATEWAY_TOKEN\", \"Value\": \"hunter2\"}, {\"Name\": \"GATEWAY_NEW\", \"Value\": \"on\"}")
                .with("production-production-proxy", "\"closed\"}", "\"closed\"}, {\"Name\": \"GATEWAY_TOKEN\", \"Value\": \"hunter1\"}")
                .with("demo-demo-proxy", "\"Memory\": 128", "\"Memory\": 64")
                .with("production-production-proxy", "\"Secrets\": [{\"Name\": \"KEY\"", "\"Secrets\": [{\"Name\": \"CODE\"");
        assertEquals(List.of("features proxy.gateway.environment.GATEWAY_NEW: null → on",
                "features proxy.gateway.environment.GATEWAY_SIGN_UP: closed → open",
                "features proxy.gateway.environment.GATEWAY_TOKEN: (hidden) → (hidden)",
                "features proxy.gateway.secret.CODE: <Task> → null", "features proxy.gateway.secret.KEY: null → <Task>",
                "infrastructure proxy.gateway.Memory: 128 → 64"), found("production", "demo"));
        String json = Assembly.JSON.writeValueAsString(assembly.compare("production", "demo"));
        assertFalse(json.contains("hunter"), json);
    }

    @Test
    void portsRightsAndProtectionAreToldOneByOne() {
        assembly.with("demo-shard-demo-1", "\"SecurityGroupIngress\": [",
                "\"SecurityGroupIngress\": [{\"IpProtocol\": \"-1\", \"CidrIp\": \"0.0.0.0/0\"},")
                .with("demo-shard-demo-1", "10.1.0.0/16", "10.2.0.0/16")
                .with("demo-shard-demo-1", "[\"kms:Decrypt\",", "[\"kms:Decrypt\", \"sts:AssumeRole\",")
                .with("demo-shard-demo-1", "\"DeletionProtection\": true", "\"DeletionProtection\": false")
                .with("demo-shard-demo-1", "\"Retain\"", "\"Delete\"")
                .with("demo-shard-demo-1", "retries\\\":4", "retries\\\":5");
        assertEquals(List.of("infrastructure shard.Database.DeletionPolicy: Retain → Delete",
                "infrastructure shard.Database.DeletionProtection: true → false",
                "infrastructure shard.Machine.DefinitionString.retries: 4 → 5", "communication shard.Group.ingress.all: null → 0.0.0.0/0",
                "communication shard.Group/from-network-Clients:5433.ingress.tcp/5433: 10.1.0.0/16 → 10.2.0.0/16",
                "communication shard.Role/DefaultPolicy.PolicyDocument.allow.sts:AssumeRole: null → arn:aws:s3:::lockstep-<account>"),
                found("production", "demo"));
    }

    @Test
    void whatOneSideAloneHasIsToldAsOneButForPortsAndRights() {
        for (var part : List.of("Logs", "Logs/Key", "Bucket")) {
            assembly.with("demo-demo-proxy",
                    ("\"R%s\": {\"Type\": \"AWS::%s\", \"Properties\": {\"A\": 1, \"B\": {\"C\": 2}}, \"Metadata\": {\"aws:cdk:path\": "
                            + "\"STACK/Firewall/%s/Resource\"}}")
                            .formatted(part.replace("/", ""), part.equals("Bucket") ? "S3::Bucket" : "Logs::LogGroup", part));
        }
        assembly.with("demo-demo-proxy",
                "\"Acl\": {\"Type\": \"AWS::WAFv2::WebACL\", \"Properties\": {\"Scope\": \"REGIONAL\"}, \"Metadata\": {\"aws:cdk:path\": "
                        + "\"STACK/Firewall/Rules\"}}")
                .with("demo-shard-demo-1",
                        ("\"P\": {\"Type\": \"AWS::IAM::Policy\", \"Properties\": {\"PolicyDocument\": {\"Statement\": [{\"Action\": "
                                + "\"sns:Publish\", \"Resource\": \"*\"}]}},"
                                + " \"Metadata\": {\"aws:cdk:path\": \"STACK/Mail/DefaultPolicy/Resource\"}}"));
        assertEquals(List.of("infrastructure proxy.Firewall: null → AWS::S3::Bucket, 2 × AWS::Logs::LogGroup",
                "communication proxy.Firewall/Rules: null → Scope: REGIONAL\nResourceType: AWS::WAFv2::WebACL",
                "communication shard.Mail/DefaultPolicy: null → ResourceType: AWS::IAM::Policy",
                "communication shard.Mail/DefaultPolicy.PolicyDocument.allow.sns:Publish: null → *"), found("production", "demo"));
    }

    @Test
    void aStackThatOneSideLacksIsToldAsOneOnEachAxis() {
        assembly.without("demo-shard-demo-1");
        assertEquals(
                List.of("infrastructure shard", "communication shard", "communication shard.Group.ingress.tcp/5432",
                        "communication shard.Group/from-network-Clients:5433.ingress.tcp/5433"),
                found("production", "demo").stream().map(line -> line.replaceAll(": .*", "").replaceAll("(?s)\n.*", "")).toList());
    }

    @Test
    void theFilesOfNginxAsTheStagesLeaveThem() {
        assembly.with("demo-demo-proxy", TestingAssembly.NGINX, TestingAssembly.NGINX_DEMO)
                .withFile("nginx/demo/limits.conf", "limit a;\nlimit B;\nlimit c;\nssl_verify_client on;\n")
                .withFile("nginx/demo/robots.txt", "Disallow: /\n")
                .withFile("nginx/demo/headers.conf",
                        "add_header Content-Security-Policy \"img-src https://cdn.example.net\";\n# https://not.example\n");
        var comparison = assembly.compare("production", "demo");
        assertEquals(List.of("features proxy.nginx.file./opt/nginx/.keep: null → ",
                "features proxy.nginx.file./opt/nginx/headers.conf: null → add_header Content-Security-Policy \"img-src "
                        + "https://cdn.example.net\";\n# https://not.example\n",
                "features proxy.nginx.file./opt/nginx/limits.conf: limit a;\nlimit b;\nlimit c;\n → limit a;\nlimit B;\nlimit "
                        + "c;\nssl_verify_client on;\n",
                "features proxy.nginx.file./opt/nginx/robots.txt: null → Disallow: /\n",
                "infrastructure proxy.nginx.image: stage production, bbbbbbbbbbbb → stage demo, cccccccccccc",
                "communication proxy.nginx.outside.cdn.example.net: null → named in /opt/nginx/headers.conf",
                "communication proxy.nginx.ssl_verify_client: null → on"), lines(comparison));
        assertEquals(List.of("@@ -1,3 +1,4 @@", " limit a;", "-limit b;", "+limit B;", " limit c;", "+ssl_verify_client on;"),
                comparison.differences().stream().filter(found -> found.key().endsWith("limits.conf")).findFirst().orElseThrow().change());
    }

    @Test
    void anAssetIsComparedByWhatItHolds() {
        assembly.withRoutes("demo-demo-proxy", "8443", "8444");
        assertEquals(List.of(
                "features proxy.gateway.environment.ROUTES_DEFAULT.shards.shard.upstream: https://<shard>.clinic.internal:8443 → "
                        + "https://<shard>.clinic.internal:8444"),
                found("production", "demo"));
    }

    @Test
    void whatServesBothSidesIsNotCompared() {
        assembly.with("qa-demo-proxy", "closed", "open").with("qa-network", "10.0.0.0/16", "10.9.0.0/16");
        assertEquals(List.of("features proxy.gateway.environment.GATEWAY_SIGN_UP: closed → open"), found("qa/production", "qa/demo"));
    }

    @Test
    void featuresAndSchemaAreTheProducts() {
        var comparison = assembly.compare("production", "demo");
        assertEquals(List.of("shard.clinic.feature.signUp false → true features.json"), comparison.differences().stream()
                .filter(found -> found.key().contains(".feature."))
                .map(found -> found.key() + " " + found.values().from() + " → " + found.values().to() + " " + found.sources().to())
                .toList());
        assertEquals("V10", comparison.schema().from());
    }

    @Test
    void declaredUndeclaredAndGone() {
        assembly.with("demo-demo-proxy", "closed", "open").declaring("""
                  - {what: [proxy.gateway.environment.GATEWAY_*, proxy.old], reason: Visitors, check: Sign up}
                  - {what: ["shard.clinic.feature.*", shards], reason: Built in, check: Look}
                """);
        var comparison = assembly.compare("production", "demo");
        assertEquals(List.of(), comparison.undeclared());
        assertEquals(List.of("proxy.old"), comparison.gone());
        assertFalse(comparison.asDeclared());
        assertEquals(List.of(), assembly.compare("qa/production", "qa/demo").gone(), "in qa, much of what is declared does not differ");

        assembly.declaring(
                "  - {what: [proxy.gateway.environment.GATEWAY_*, \"shard.clinic.feature.*\", shards], "
                        + "reason: Visitors, check: Sign up}\n");
        assertTrue(assembly.compare("production", "demo").asDeclared());
        assembly.with("demo-demo-proxy", "{\"Name\": \"ADDRESS\"", "{\"Name\": \"EXTRA\", \"Value\": \"on\"}, {\"Name\": \"ADDRESS\"");
        assertEquals(List.of("proxy.gateway.environment.EXTRA"),
                assembly.compare("production", "demo").undeclared().stream().map(Comparison.Found::key).toList());
    }

    private List<String> found(String from, String to) {
        return lines(assembly.compare(from, to));
    }

    private static List<String> lines(Comparison comparison) {
        return comparison.differences().stream()
                .map(found -> found.axis() + " " + found.key() + ": " + found.values().from() + " → " + found.values().to())
                .filter(line -> ALWAYS.stream().noneMatch(line::contains)).collect(Collectors.toList());
    }
}
