package lockstep.preflight;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lockstep.accounts.AccountAccess;
import lockstep.assembly.Assembly.Stack;
import lockstep.assembly.Assembly;
import lockstep.landscape.Account;
import lockstep.landscape.DataSet;
import lockstep.landscape.Delivery;
import lockstep.landscape.Edition;
import lockstep.landscape.Landscape;
import lockstep.landscape.Limits;
import lockstep.landscape.Proxy;
import lockstep.landscape.Purpose;
import lockstep.landscape.Shard;
import lockstep.preflight.Check.State;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PreflightTest {
    private static final String ID = "222222222222", CERTIFICATE = "arn:aws:acm:eu-central-1:222222222222:certificate/0a";
    private static final List<String> SETTINGS = List.of("aws.endpointUrl", "aws.sharedCredentialsFile", "aws.configFile");

    @TempDir Path directory;

    private RecordedAws aws;

    /** A new account that is ready: every answer is the one that AWS documents, and says yes. */
    @BeforeEach
    void answers() throws IOException {
        aws = new RecordedAws();
        Path credentials = Files.writeString(directory.resolve("credentials"),
                "[demo]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = secret\n");
        System.setProperty("aws.endpointUrl", aws.uri());
        System.setProperty("aws.sharedCredentialsFile", credentials.toString());
        System.setProperty("aws.configFile", "/dev/null");
        aws.answer("Action=GetCallerIdentity", 200, """
                <GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
                <Arn>arn:aws:iam::222222222222:user/a</Arn><UserId>AIDA</UserId><Account>222222222222</Account>
                </GetCallerIdentityResult></GetCallerIdentityResponse>""");
        aws.answer("AmazonSSM.GetParameter", 200,
                "{\"Parameter\": {\"Name\": \"/cdk-bootstrap/x/version\", \"Type\": \"String\", \"Value\": \"31\", \"Version\": 1}}");
        aws.answer("Action=GetRole", 404, error("NoSuchEntity", "The role with name lockstep-deploy cannot be found."));
        aws.answer("Action=GetRole & RoleName=AWSServiceRoleFor", 200,
                "<GetRoleResponse><GetRoleResult><Role><RoleName>AWSServiceRoleForECS</RoleName></Role></GetRoleResult></GetRoleResponse>");
        aws.answer("ServiceQuotasV20190624.GetServiceQuota", 200, quota(1000));
        aws.answer("CertificateManager.DescribeCertificate", 200, certificate("ISSUED", "demo.shop.example", "*.demo.shop.example"));
        aws.answer("Action=DescribeAvailabilityZones", 200, zones("eu-central-1a", "eu-central-1b", "eu-central-1c"));
        aws.answer("Action=DescribeSubnets", 200, "<DescribeSubnetsResponse><subnetSet/></DescribeSubnetsResponse>");
        aws.answer("Action=DescribeVpcs", 200,
                "<DescribeVpcsResponse><vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet></DescribeVpcsResponse>");
        aws.answer("Action=ListStackResources", 400, """
                <ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type>
                <Code>ValidationError</Code><Message>Stack with id demo-shard-demo-1 does not exist</Message></Error></ErrorResponse>""");
        aws.answer("Logs_20140328.DescribeLogGroups", 200, "{\"logGroups\": []}");
        aws.answer("HEAD /lockstep-222222222222-releases", 404, "");
        aws.answer("secretsmanager.DescribeSecret", 400,
                "{\"__type\": \"ResourceNotFoundException\", \"Message\": \"Secrets Manager can't find the specified secret.\"}");
        aws.answer("Action=ListOpenIDConnectProviders", 200,
                "<R><L><OpenIDConnectProviderList><member><Arn>arn:aws:iam::222222222222:oidc-provider/github.com</Arn></member>"
                        + "</OpenIDConnectProviderList></L></R>");
    }

    @AfterEach
    void close() {
        aws.close();
        SETTINGS.forEach(System::clearProperty);
    }

    @Test
    void aPreparedAccountIsOk() {
        var preflight = preflight();
        assertTrue(preflight.ok(), preflight::table);
        assertEquals(List.of("identity", "cdk bootstrap", "service-linked roles", "quota: Fargate vCPU on demand",
                "quota: concurrent functions", "quota: databases (clusters)", "quota: networks", "certificate of demo.shop.example",
                "availability zones", "names of log groups", "names of buckets", "names of roles", "names of secrets",
                "names of identity providers"), preflight.checks().stream().map(Preflight.Line::check).toList());
        assertTrue(preflight.table().endsWith("Everything that was checked is ready for a deployment."), preflight::table);
        // two tasks of the product and one of the proxy, each twice, and one engine
        assertEquals("6 while all services are replaced; 18 at full load", line("quota: Fargate vCPU on demand").needed());
    }

    @Test
    void ofAnotherAccountNothingElseIsRead() {
        aws.answer("Action=GetCallerIdentity", 200, """
                <GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
                <Account>999999999999</Account></GetCallerIdentityResult></GetCallerIdentityResponse>""");
        var preflight = preflight();
        assertFalse(preflight.ok());
        assertEquals(List.of("wrong 999999999999"), preflight.checks().stream().map(l -> l.state() + " " + l.found()).toList());
        assertEquals(List.of("GetCallerIdentity"), List.copyOf(aws.called));
    }

    @Test
    void aProfileThatDoesNotWorkSaysHowToMakeOne() throws IOException {
        Files.writeString(directory.resolve("credentials"), "[other]\naws_access_key_id = a\naws_secret_access_key = b\n");
        assertState(State.WRONG, "identity", "aws configure sso --profile demo");
    }

    @Test
    void bootstrapIsMissingOrTooOld() {
        aws.answer("AmazonSSM.GetParameter", 400, "{\"__type\": \"ParameterNotFound\"}");
        assertState(State.WRONG, "cdk bootstrap", "npx cdk bootstrap aws://222222222222/eu-central-1 --profile demo");
        aws.answer("AmazonSSM.GetParameter", 200, "{\"Parameter\": {\"Value\": \"5\"}}");
        assertState(State.WRONG, "cdk bootstrap", "npx cdk bootstrap");
    }

    @Test
    void aNewAccountLacksServiceLinkedRoles() {
        aws.answer("Action=GetRole & RoleName=AWSServiceRoleForRDS", 404, error("NoSuchEntity", "not found"));
        assertState(State.WRONG, "service-linked roles",
                "aws iam create-service-linked-role --aws-service-name rds.amazonaws.com --profile demo");
        assertEquals("missing: rds", line("service-linked roles").found());
    }

    @Test
    void aNewAccountHasLowQuotas() {
        aws.answer("ServiceQuotasV20190624.GetServiceQuota & L-3032A538", 200, quota(5.5)).answer("GetServiceQuota & L-B99A9384", 200,
                quota(10));
        assertState(State.WRONG, "quota: Fargate vCPU on demand",
                "aws service-quotas request-service-quota-increase --service-code fargate --quota-code L-3032A538 --desired-value 6");
        assertState(State.WRONG, "quota: concurrent functions", "--desired-value 20");
    }

    @Test
    void aQuotaThatWasNeverChangedIsTheDefault() {
        aws.answer("GetServiceQuota & L-F678F1CE", 400, "{\"__type\": \"NoSuchResourceException\"}");
        aws.answer("GetAWSDefaultServiceQuota", 200, quota(1));
        assertState(State.WRONG, "quota: networks", "--desired-value 2");
        assertEquals("1, of which others use 1", line("quota: networks").found());
    }

    @Test
    void ourOwnNetworkIsNotCountedTwice() {
        ourStackHas("Vpc");
        aws.answer("GetServiceQuota & L-F678F1CE", 200, quota(1));
        assertState(State.OK, "quota: networks", "");
    }

    @ParameterizedTest
    @CsvSource({"PENDING_VALIDATION, demo.shop.example, *.demo.shop.example, create the records",
            "EXPIRED, demo.shop.example, *.demo.shop.example, aws acm request-certificate",
            "ISSUED, demo.shop.example, *.shop.example, aws acm request-certificate", "ISSUED, *.shop.example, *.demo.shop.example,"})
    void aCertificateIsIssuedForTheHostAndTheShards(String status, String name, String other, String remedy) {
        aws.answer("CertificateManager.DescribeCertificate", 200, certificate(status, name, other));
        assertState(remedy == null ? State.OK : State.WRONG, "certificate of demo.shop.example", remedy == null ? "" : remedy);
    }

    @Test
    void aCertificateOfAnotherAccountOrRegionIsNoUse() {
        for (String wrong : List.of(CERTIFICATE.replace(ID, "333333333333"), CERTIFICATE.replace("eu-central-1", "us-east-1")))
            assertEquals(State.WRONG.toString(), preflight(wrong).checks().stream()
                    .filter(l -> l.check().equals("certificate of demo.shop.example")).findFirst().orElseThrow().state(), wrong);
    }

    @Test
    void aZoneIsMissing() {
        aws.answer("Action=DescribeAvailabilityZones", 200, zones("eu-central-1b", "eu-central-1c"));
        assertState(State.WRONG, "availability zones", "zones: [eu-central-1b, eu-central-1c]");
    }

    /** CloudFormation offers a template only the zones of default subnets, if there are any. */
    @ParameterizedTest
    @CsvSource({"eu-central-1a, wrong", "eu-central-1a eu-central-1c, ok"})
    void zonesThatTheTemplatesDoNotName(String defaults, String state) {
        var subnet = "{\"Type\": \"AWS::EC2::Subnet\", \"Properties\": {\"AvailabilityZone\": "
                + "{\"Fn::Select\": [%d, {\"Fn::GetAZs\": \"\"}]}}}";
        var stack = new Stack("demo-network", ID, "eu-central-1", Assembly.JSON.readTree(
                "{\"Resources\": {\"A\": " + subnet.formatted(0) + ", \"B\": " + subnet.formatted(1) + "}}"));
        aws.answer("Action=DescribeSubnets", 200, "<R>" + Stream.of(defaults.split(" "))
                .map(zone -> "<availabilityZone>" + zone + "</availabilityZone>").collect(Collectors.joining()) + "</R>");
        try (var access = AccountAccess.unverified("demo", "eu-central-1", ID)) {
            var result = Zones.of(List.of(stack)).of(new AccountReader(access, List.of()));
            assertEquals(state, result.state().toString(), result::toString);
        }
    }

    @Test
    void namesAreTaken() {
        aws.answer("Logs_20140328.DescribeLogGroups", 200, "{\"logGroups\": [{\"logGroupName\": "
                + "\"/aws/rds/cluster/lockstep-demo-1/postgresql\"}]}");
        aws.answer("HEAD /lockstep-222222222222-releases", 403, "");
        aws.answer("GetRole & RoleName=lockstep-deploy", 200, "<GetRoleResponse/>");
        aws.answer("secretsmanager.DescribeSecret", 200, "{\"Name\": \"lockstep/demo-1/writer\", \"DeletedDate\": 1.7E9}");
        aws.answer("Action=ListOpenIDConnectProviders", 200,
                "<R><Arn>arn:aws:iam::222222222222:oidc-provider/gitlab.example.com</Arn></R>");
        assertState(State.WRONG, "names of log groups",
                "aws logs delete-log-group --log-group-name /aws/rds/cluster/lockstep-demo-1/postgresql --profile demo");
        assertState(State.WRONG, "names of buckets", "aws s3 rb --force s3://lockstep-222222222222-releases --profile demo");
        assertState(State.WRONG, "names of roles", "--role-name lockstep-deploy");
        assertState(State.WRONG, "names of secrets", "--secret-id lockstep/demo-1/writer");
        assertState(State.WRONG, "names of identity providers", "gitlab.example.com");

        ourStackHas("Logs", "Releases", "Deploy", "Writer", "Issuer");
        assertTrue(preflight().ok(), () -> preflight().table());
    }

    /** What a deleted stack retained keeps the next stack of that name from being created. */
    @Test
    void whatOurStackLeftBehindIsNotOursAnyMore() {
        ourStackHas();
        aws.answer("secretsmanager.DescribeSecret", 200, "{\"Name\": \"lockstep/demo-1/writer\"}");
        aws.answer("Action=ListStackResources", 200, stack("DELETE_SKIPPED", "Writer"));
        assertState(State.WRONG, "names of secrets", "lockstep/demo-1/writer");
    }

    @Test
    void whatCouldNotBeReadIsNotOkAndNamesTheMissingRight() {
        aws.answer("ServiceQuotasV20190624.GetServiceQuota & L-B99A9384", 400, "{\"__type\": \"AccessDeniedException\"}");
        aws.answer("Action=DescribeAvailabilityZones", 403,
                "<Response><Errors><Error><Code>UnauthorizedOperation</Code></Error></Errors></Response>");
        aws.answer("AmazonSSM.GetParameter", 500, "oops");
        assertState(State.UNCHECKED, "quota: concurrent functions", "allow servicequotas:GetServiceQuota");
        assertState(State.UNCHECKED, "availability zones", "allow ec2:DescribeAvailabilityZones");
        assertState(State.UNCHECKED, "cdk bootstrap", "run it again");
        assertFalse(preflight().ok());
        assertEquals(3, preflight().checks().stream().filter(l -> !l.state().equals("ok")).count());
    }

    /** docs/adopt.md gives a policy with all rights that the command needs, and no others. */
    @Test
    void theDocumentedPolicyAllowsExactlyTheReads() throws IOException {
        aws.answer("GetServiceQuota & L-F678F1CE", 400, "{\"__type\": \"NoSuchResourceException\"}")
                .answer("GetAWSDefaultServiceQuota", 200, quota(5));
        preflight();
        String page = Files.readString(Path.of("../docs/adopt.md"));
        var policy = Assembly.JSON
                .readTree(page.substring(page.indexOf("{\"Version\""), page.indexOf("\n```", page.indexOf("{\"Version\""))));
        var allowed = new TreeSet<String>();
        policy.at("/Statement/0/Action").forEach(action -> allowed.add(action.asString().replaceFirst("^.*:", "")));
        var needed = new TreeSet<>(aws.called.stream().map(call -> call.replaceFirst("^.*\\.", "")).toList());
        needed.remove("GetCallerIdentity"); // nobody can be denied it
        needed.add("ListBucket"); // HEAD of a bucket
        needed.add("DescribeAddresses"); // only if a template has elastic IP addresses
        assertEquals(needed, allowed);
    }

    @ParameterizedTest
    @CsvSource({"200, SELF, ok", "200, https://other.example, wrong", "404, SELF, wrong"})
    void theIssuerAnswersAsTokensNameIt(int status, String issuer, String state) {
        aws.answer("GET /.well-known/openid-configuration", status, "{\"issuer\": \"" + issuer.replace("SELF", aws.uri()) + "\"}");
        assertEquals(state, Preflight.issuer(new Delivery(aws.uri(), "a/b", "main", List.of(), List.of())).state().toString());
    }

    // ---- answers

    private static String error(String code, String message) {
        return "<ErrorResponse><Error><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>".formatted(code, message);
    }

    private static String quota(double value) {
        return "{\"Quota\": {\"QuotaCode\": \"L-3032A538\", \"Value\": " + value + ", \"Adjustable\": true, \"GlobalQuota\": false}}";
    }

    private static String certificate(String status, String... names) {
        return ("{\"Certificate\": {\"CertificateArn\": \"%s\", \"DomainName\": \"%s\", \"SubjectAlternativeNames\": [\"%s\"], "
                + "\"Status\": \"%s\"}}")
                .formatted(CERTIFICATE, names[0], String.join("\", \"", names), status);
    }

    private static String zones(String... names) {
        var items = new StringBuilder();
        for (String name : names)
            items.append("<item><zoneName>").append(name).append("</zoneName><zoneState>available</zoneState></item>");
        return "<DescribeAvailabilityZonesResponse><availabilityZoneInfo>" + items
                + "</availabilityZoneInfo></DescribeAvailabilityZonesResponse>";
    }

    private void ourStackHas(String... resources) {
        aws.answer("Action=ListStackResources", 200, stack("CREATE_COMPLETE", resources));
    }

    private static String stack(String status, String... resources) {
        var members = new StringBuilder();
        for (String resource : resources) members.append("<member><LogicalResourceId>").append(resource)
                .append("</LogicalResourceId><ResourceStatus>").append(status).append("</ResourceStatus></member>");
        return "<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries>" + members
                + "</StackResourceSummaries></ListStackResourcesResult></ListStackResourcesResponse>";
    }

    // ---- the landscape

    private Preflight preflight() {
        return preflight(CERTIFICATE);
    }

    private static Preflight preflight(String certificate) {
        var account = new Account("demo", ID, Purpose.DEMO, List.of(new Shard("demo-1", Edition.DEMO)),
                List.of(new Proxy(Edition.DEMO, "demo.shop.example", Optional.of(certificate), false, Optional.empty(),
                        java.util.OptionalInt.empty())),
                new Limits(20, 8, 5));
        var landscape = new Landscape(null, "1", "eu-central-1", List.of(account), List.<DataSet>of(), List.of());
        var artifact = Assembly.JSON.readTree(
                "{\"properties\": {\"requiresBootstrapStackVersion\": 6, "
                        + "\"bootstrapStackVersionSsmParameter\": \"/cdk-bootstrap/x/version\"}}");
        var stack = new Stack("demo-shard-demo-1", ID, "eu-central-1", Path.of(""), artifact,
                Assembly.JSON.readTree(PreflightTest.class.getResourceAsStream("/preflight/template.json")),
                Assembly.JSON.createObjectNode());
        return new Preflight(Preflight.read(landscape, account, List.of(stack)));
    }

    private Preflight.Line line(String check) {
        return preflight().checks().stream().filter(line -> line.check().equals(check)).findFirst().orElseThrow();
    }

    private void assertState(State state, String check, String remedy) {
        var line = line(check);
        assertEquals(state.toString(), line.state(), line::toString);
        assertTrue(Pattern.compile(remedy, Pattern.LITERAL).matcher(line.remedy()).find(), line::toString);
        assertEquals(state == State.OK, line.remedy().isEmpty(), line::toString);
    }
}
