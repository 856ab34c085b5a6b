package lockstep.diff;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import lockstep.assembly.Assembly;
import lockstep.landscape.Landscape;
import lockstep.landscape.LandscapeReader;
import tools.jackson.databind.node.ObjectNode;

/** A handwritten landscape of three accounts and its assembly. The stacks of both editions are equal until a test changes one. */
final class TestingAssembly {
    static final String GATEWAY = "a".repeat(64), NGINX = "b".repeat(64), NGINX_DEMO = "c".repeat(64);
    private static final Map<String, String> ACCOUNTS = Map.of("production", "111111111111", "demo", "222222222222", "qa", "333333333333");
    private final Path directory;
    private final Map<String, String> templates = new TreeMap<>();
    private final Map<String, String> routes = new TreeMap<>();
    private String differences = "";

    TestingAssembly(Path directory) {
        this.directory = directory;
        for (var side : new String[][]{{"production", "production", "clinic-2", "clinic.example"},
                {"demo", "demo", "demo-1", "demo.clinic.example"},
                {"qa", "production", "qa-1", "qa.clinic.example"}, {"qa", "demo", "qa-demo-1", "qa-demo.clinic.example"}}) {
            String account = side[0], edition = side[1], shard = side[2], host = side[3];
            templates.put(account + "-network", named(NETWORK, account, edition, shard, host));
            templates.put(account + "-shard-" + shard, named(SHARD, account, edition, shard, host));
            templates.put(account + "-" + edition + "-proxy", named(PROXY, account, edition, shard, host));
            routes.put(account + "-" + edition + "-proxy",
                    named("{\"edition\": \"x\", \"shards\": {\"SHARD\": {\"upstream\": \"https://SHARD.clinic.internal:8443\"}}}", account,
                            edition, shard, host));
        }
        write("nginx/Dockerfile",
                "FROM debian AS production\nWORKDIR /opt/nginx\nCOPY production/ ./\nENV WORKERS=2\nCMD [\"./start\"]\nFROM production AS "
                        + "demo\nCOPY demo/ ./\n");
        write("nginx/production/nginx.conf", "listen 8443 ssl;\n# ssl_crl old.pem;\ninclude limits.conf;\n");
        write("nginx/production/limits.conf", "limit a;\nlimit b;\nlimit c;\n");
        write("nginx/demo/.keep", "");
        write("features.json", "{\"production\": {\"signUp\": false, \"search\": true}, \"demo\": {\"signUp\": true, \"search\": true}}");
        for (var migration : List.of("V2__tables.sql", "V10__more.sql", "notes.txt")) write("migrations/" + migration, "");
        write("gateway/Dockerfile", "FROM scratch\nCMD [\"./gateway\"]\n");
    }

    /** Changes the template of one stack. */
    TestingAssembly with(String stack, String replaced, String by) {
        if (!templates.get(stack).contains(replaced)) throw new IllegalArgumentException(stack + " holds no " + replaced);
        templates.compute(stack, (name, template) -> template.replace(replaced, by));
        return this;
    }

    /** Adds a resource to one stack. */
    TestingAssembly with(String stack, String resource) {
        return with(stack, "\"Resources\": {", "\"Resources\": {" + resource.replace("STACK", stack) + ",");
    }

    TestingAssembly without(String stack) {
        templates.remove(stack);
        return this;
    }

    TestingAssembly withFile(String path, String content) {
        write(path, content);
        return this;
    }

    TestingAssembly withRoutes(String stack, String replaced, String by) {
        routes.compute(stack, (name, content) -> content.replace(replaced, by));
        return this;
    }

    /** @param entries the entries as in lockstep.yaml */
    TestingAssembly declaring(String entries) {
        differences = "differences:\n" + entries;
        return this;
    }

    Landscape landscape() {
        write("lockstep.yaml", LANDSCAPE + differences);
        return LandscapeReader.read(directory.resolve("lockstep.yaml"));
    }

    Comparison compare(String from, String to) {
        var landscape = landscape();
        var artifacts = Assembly.JSON.createObjectNode();
        templates.forEach((stack, template) -> {
            String account = stack.replaceAll("-.*", "");
            artifacts.putObject(stack).put("type", "aws:cloudformation:stack")
                    .put("environment", "aws://" + ACCOUNTS.get(account) + "/eu-central-1")
                    .putObject("properties").put("templateFile", stack + ".template.json");
            write(stack + ".template.json", template);
            write(stack + ".assets.json", assets(stack).toString());
        });
        write("manifest.json", Assembly.JSON.createObjectNode().set("artifacts", artifacts).toString());
        return Comparison.of(Side.named(from, landscape).orElseThrow(), Side.named(to, landscape).orElseThrow(), landscape,
                new Assembly(directory));
    }

    private ObjectNode assets(String stack) {
        var assets = Assembly.JSON.createObjectNode();
        if (!stack.endsWith("-proxy")) return assets;
        var images = assets.putObject("dockerImages");
        images.putObject(GATEWAY).putObject("source").put("directory", "gateway");
        images.putObject(NGINX).putObject("source").put("directory", "nginx").put("dockerBuildTarget", "production");
        images.putObject(NGINX_DEMO).putObject("source").put("directory", "nginx").put("dockerBuildTarget", "demo");
        String hash = String.format("%064x", Math.abs(stack.hashCode()));
        write("asset." + hash + ".json", routes.get(stack));
        assets.putObject("files").putObject(hash).putObject("source").put("path", "asset." + hash + ".json");
        templates.computeIfPresent(stack, (name, template) -> template.replace("ROUTES_HASH", hash));
        write(stack + ".template.json", templates.get(stack));
        return assets;
    }

    private void write(String file, String content) {
        try {
            Files.createDirectories(directory.resolve(file).getParent());
            Files.writeString(directory.resolve(file), content);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String named(String template, String account, String edition, String shard, String host) {
        return template.replace("ACCOUNT_ID", ACCOUNTS.get(account)).replace("ACCOUNT", account).replace("EDITION", edition)
                .replace("SHARD", shard).replace("HOST", host)
                .replace("SQUEEZED", account + "network");
    }

    private static final String LANDSCAPE = """
            product: {name: clinic, build: image, port: 8443, health: /health, commands: {serve: [serve], migrate: [migrate]}, \
            features: features.json, migrations: migrations}
            release: "1.0.0"
            region: eu-central-1
            accounts:
              production:
                id: "111111111111"
                purpose: production
                shards: {clinic-1: {edition: production}, clinic-2: {edition: production}}
                proxies: {production: {host: clinic.example}}
              demo:
                id: "222222222222"
                purpose: demo
                shards: {demo-1: {edition: demo}}
                proxies: {demo: {host: demo.clinic.example, certificate: "arn:aws:acm:eu-central-1:222222222222:certificate/0a"}}
              qa:
                id: "333333333333"
                purpose: qa
                shards: {qa-1: {edition: production}, qa-demo-1: {edition: demo}}
                proxies:
                  production: {host: qa.clinic.example}
                  demo: {host: qa-demo.clinic.example, certificate: "arn:aws:acm:eu-central-1:333333333333:certificate/0b"}
            dataSets: {master: {source: clinic-1, tables: {master.drug: {key: [id], columns: [id]}}}}
            """;

    private static final String NETWORK = """
            {"Resources": {
              "Vpc8378EB38": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16", "Tags": [{"Key": "account", "Value": \
              "ACCOUNT"}, {"Key": "Name", "Value": "ACCOUNT-network/Vpc"}]},
                "Metadata": {"aws:cdk:path": "ACCOUNT-network/Vpc/Resource"}}},
             "Outputs": {"ExportsVpc": {"Value": {"Ref": "Vpc8378EB38"}, "Export": {"Name": \
             "ACCOUNT-network:ExportsOutputRefVpc8378EB38272D6E3A"}}}}
            """;
    private static final String SHARD = """
            {"Resources": {
              "DatabaseB269D8BB": {"Type": "AWS::RDS::DBCluster", "Properties": {"DBClusterIdentifier": "lockstep-SHARD", \
              "DeletionProtection": true},
                "DeletionPolicy": "Retain", "Metadata": {"aws:cdk:path": "ACCOUNT-shard-SHARD/Database/Resource"}},
              "GroupB493B4E2": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "Database of SHARD", "VpcId": \
              {"Fn::ImportValue": "ACCOUNT-network:ExportsOutputRefVpc8378EB38272D6E3A"},
                "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "CidrIp": "10.0.0.0/16"}], \
                "SecurityGroupEgress": [{"CidrIp": "255.255.255.255/32", "IpProtocol": "icmp"}]},
                "Metadata": {"aws:cdk:path": "ACCOUNT-shard-SHARD/Group/Resource"}},
              "Groupfrom": {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {"IpProtocol": "tcp", "FromPort": 5433, "ToPort": \
              5433, "GroupId": {"Fn::GetAtt": ["GroupB493B4E2", "GroupId"]}, "CidrIp": "10.1.0.0/16"},
                "Metadata": {"aws:cdk:path": "ACCOUNT-shard-SHARD/Group/from SQUEEZEDClientsA5E6762A:5433"}},
              "RoleDAE33D75": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {"Statement": [
                  {"Effect": "Allow", "Action": ["kms:Decrypt", "s3:GetObject"], "Resource": "arn:aws:s3:::lockstep-ACCOUNT_ID"}]}},
                "Metadata": {"aws:cdk:path": "ACCOUNT-shard-SHARD/Role/DefaultPolicy/Resource"}},
              "Machine1": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"DefinitionString": {"Fn::Join": ["", \
              ["{\\"shard\\":\\"SHARD\\",\\"arn\\":\\"", {"Fn::GetAtt": ["DatabaseB269D8BB", "Arn"]}, "\\",\\"retries\\":4}"]]}},
                "Metadata": {"aws:cdk:path": "ACCOUNT-shard-SHARD/Machine/Resource"}}}}
            """;
    private static final String PROXY = """
            {"Resources": {
              "Task1": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"Family": "ACCOUNTEDITIONproxyTask0863E24D", "Cpu": "256", \
              "ContainerDefinitions": [
                {"Name": "gateway", "Memory": 128, "Image": {"Fn::Sub": \
                "${AWS::AccountId}.dkr.ecr.eu-central-1.${AWS::URLSuffix}/cdk-assets:%1$s"},
                 "Environment": [{"Name": "GATEWAY_SIGN_UP", "Value": "closed"}, {"Name": "ADDRESS", "Value": "HOST"}, {"Name": \
                 "ROUTES_DEFAULT", "Value": "s3://assets-ACCOUNT_ID/ROUTES_HASH.json"}],
                 "Secrets": [{"Name": "KEY", "ValueFrom": {"Ref": "Task1"}}]},
                {"Name": "nginx", "Image": {"Fn::Sub": "${AWS::AccountId}.dkr.ecr.eu-central-1.${AWS::URLSuffix}/cdk-assets:%2$s"}}]},
                "Metadata": {"aws:cdk:path": "ACCOUNT-EDITION-proxy/Task/Resource"}}}}
            """.formatted(GATEWAY, NGINX);
}
