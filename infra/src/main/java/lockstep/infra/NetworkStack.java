package lockstep.infra;

import java.util.List;
import java.util.Map;
import software.amazon.awscdk.Acknowledgment;
import software.amazon.awscdk.Validations;
import software.amazon.awscdk.services.ec2.FlowLogDestination;
import software.amazon.awscdk.services.ec2.FlowLogOptions;
import software.amazon.awscdk.services.ec2.GatewayVpcEndpointAwsService;
import software.amazon.awscdk.services.ec2.GatewayVpcEndpointOptions;
import software.amazon.awscdk.services.ec2.IVpc;
import software.amazon.awscdk.services.ec2.InterfaceVpcEndpointAwsService;
import software.amazon.awscdk.services.ec2.InterfaceVpcEndpointOptions;
import software.amazon.awscdk.services.ec2.IpAddresses;
import software.amazon.awscdk.services.ec2.Peer;
import software.amazon.awscdk.services.ec2.Port;
import software.amazon.awscdk.services.ec2.SecurityGroup;
import software.amazon.awscdk.services.ec2.SubnetConfiguration;
import software.amazon.awscdk.services.ec2.SubnetType;
import software.amazon.awscdk.services.ec2.Vpc;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.amazon.awscdk.services.iam.ServicePrincipal;
import software.amazon.awscdk.services.kms.Key;
import software.amazon.awscdk.services.logs.LogGroup;
import software.constructs.Construct;

/**
 * What all stacks of an account share: a network without a way to the internet, the key of the logs, and the topic
 * that operators listen to. A stack of its own because it changes about once a year, and everything stands on it.
 */
final class NetworkStack extends AccountStack {
    /** The same in each account: the networks are never joined. */
    private static final String CIDR = "10.0.0.0/16";

    private final Key key;
    private final OperationsTopic operations;
    private final Vpc vpc;
    private final SecurityGroup databaseClients;

    NetworkStack(Construct scope, String id, Props props) {
        super(scope, id, props, "Lockstep: isolated network, log key and operations topic of " + props.account().name());
        key = createKey();
        operations = new OperationsTopic(this, "Operations", key);
        vpc = createVpc();
        databaseClients = SecurityGroup.Builder.create(this, "DatabaseClients")
                .vpc(vpc).description("Functions that may open a database").allowAllOutbound(false).build();
        databaseClients.addEgressRule(Peer.ipv4(CIDR), Port.tcp(5432), "databases");
        databaseClients.addEgressRule(Peer.anyIpv4(), Port.HTTPS, "S3 and the interface endpoints; there is no other route");
    }

    IVpc vpc() {
        return vpc;
    }

    /** The security group that the databases of this account admit. */
    SecurityGroup databaseClients() {
        return databaseClients;
    }

    OperationsTopic operations() {
        return operations;
    }

    /** An encrypted log group with retention; the name is generated when null. */
    LogGroup logGroup(Construct scope, String id, String name) {
        return LogGroup.Builder.create(scope, id)
                .logGroupName(name).encryptionKey(key).retention(props().protection().logs()).removalPolicy(props().protection().data()).build();
    }

    private Key createKey() {
        var key = Key.Builder.create(this, "Key")
                .description("Logs and operations topic of " + props().account().name())
                .enableKeyRotation(true).removalPolicy(props().protection().data()).build();
        var logs = "arn:aws:logs:%s:%s:log-group:*".formatted(props().landscape().region(), props().account().id());
        key.addToResourcePolicy(PolicyStatement.Builder.create()
                .principals(List.of(new ServicePrincipal("logs.%s.amazonaws.com".formatted(props().landscape().region()))))
                .actions(List.of("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"))
                .resources(List.of("*"))
                .conditions(Map.of("ArnLike", Map.of("kms:EncryptionContext:aws:logs:arn", logs)))
                .build());
        return key;
    }

    private Vpc createVpc() {
        var vpc = Vpc.Builder.create(this, "Vpc")
                .ipAddresses(IpAddresses.cidr(CIDR))
                .natGateways(0)
                .subnetConfiguration(List.of(SubnetConfiguration.builder().name("isolated").subnetType(SubnetType.PRIVATE_ISOLATED).cidrMask(20).build()))
                // would bring a custom resource; nothing is ever put into the default group
                .restrictDefaultSecurityGroup(false)
                .build();
        Validations.of(vpc).acknowledge(Acknowledgment.builder()
                .id("CloudFormation-Validate::W3010").reason("Named on purpose: no lookup, and the same templates anywhere").build());
        vpc.addFlowLog("FlowLog", FlowLogOptions.builder()
                .destination(FlowLogDestination.toCloudWatchLogs(logGroup(this, "FlowLogs", null))).build());
        vpc.addGatewayEndpoint("S3", GatewayVpcEndpointOptions.builder().service(GatewayVpcEndpointAwsService.S3).build());
        var endpoints = SecurityGroup.Builder.create(this, "Endpoints")
                .vpc(vpc).description("Interface endpoints").allowAllOutbound(false).build();
        endpoints.addIngressRule(Peer.ipv4(CIDR), Port.HTTPS, "anything in this network");
        interfaceEndpoint(vpc, endpoints, "SecretsManager", InterfaceVpcEndpointAwsService.SECRETS_MANAGER);
        interfaceEndpoint(vpc, endpoints, "Sts", InterfaceVpcEndpointAwsService.STS);
        interfaceEndpoint(vpc, endpoints, "Kms", InterfaceVpcEndpointAwsService.KMS);
        return vpc;
    }

    private static void interfaceEndpoint(Vpc vpc, SecurityGroup group, String id, InterfaceVpcEndpointAwsService service) {
        vpc.addInterfaceEndpoint(id, InterfaceVpcEndpointOptions.builder().service(service).open(false).securityGroups(List.of(group)).build());
    }
}
