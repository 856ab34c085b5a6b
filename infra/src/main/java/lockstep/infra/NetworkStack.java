package lockstep.infra;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import lockstep.landscape.Edition;
import lockstep.landscape.Names;
import software.amazon.awscdk.Acknowledgment;
import software.amazon.awscdk.Validations;
import software.amazon.awscdk.services.ec2.FlowLogDestination;
import software.amazon.awscdk.services.ec2.FlowLogOptions;
import software.amazon.awscdk.services.ec2.GatewayVpcEndpointAwsService;
import software.amazon.awscdk.services.ec2.GatewayVpcEndpointOptions;
import software.amazon.awscdk.services.ec2.ISecurityGroup;
import software.amazon.awscdk.services.ec2.IVpc;
import software.amazon.awscdk.services.ec2.InterfaceVpcEndpointAwsService;
import software.amazon.awscdk.services.ec2.InterfaceVpcEndpointOptions;
import software.amazon.awscdk.services.ec2.IpAddresses;
import software.amazon.awscdk.services.ec2.Peer;
import software.amazon.awscdk.services.ec2.Port;
import software.amazon.awscdk.services.ec2.SecurityGroup;
import software.amazon.awscdk.services.ec2.SecurityGroupImportOptions;
import software.amazon.awscdk.services.ec2.SubnetConfiguration;
import software.amazon.awscdk.services.ec2.SubnetType;
import software.amazon.awscdk.services.ec2.Vpc;
import software.amazon.awscdk.services.ecs.CfnCluster;
import software.amazon.awscdk.services.ecs.Cluster;
import software.amazon.awscdk.services.ecs.ContainerInsights;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.amazon.awscdk.services.iam.ServicePrincipal;
import software.amazon.awscdk.services.kms.Key;
import software.amazon.awscdk.services.logs.LogGroup;
import software.amazon.awscdk.services.servicediscovery.CfnPrivateDnsNamespace;
import software.amazon.awscdk.services.servicediscovery.PrivateDnsNamespace;
import software.constructs.Construct;

/**
 * The resources that all stacks of an account share: a network in which only load balancers reach the internet, the ECS cluster, the key of
 * the logs, and the operations topic. It is a separate stack because everything depends on it, and it changes about once a year.
 */
final class NetworkStack extends AccountStack {
    /** The same in each account, because the networks are never connected. */
    static final String CIDR = "10.0.0.0/16";

    private final Key key;
    private final OperationsTopic operations;
    private final Vpc vpc;
    private final SecurityGroup databaseClients;
    private final Map<Edition, SecurityGroup> applicationClients = new EnumMap<>(Edition.class);
    private final PrivateDnsNamespace namespace;
    private final Cluster cluster;

    NetworkStack(Construct scope, String id, Props props) {
        super(scope, id, props, "Lockstep: network, cluster, log key and operations topic of " + props.account().name());
        key = createKey();
        operations = new OperationsTopic(this, "Operations", key);
        vpc = createVpc();
        databaseClients = SecurityGroup.Builder.create(this, "DatabaseClients")
                .vpc(vpc).description("Functions that may open a database").allowAllOutbound(false).build();
        databaseClients.addEgressRule(Peer.ipv4(CIDR), Port.tcp(5432), "databases");
        databaseClients.addEgressRule(Peer.anyIpv4(), Port.HTTPS, "S3 and the interface endpoints; there is no other route");
        for (var edition : editions()) {
            applicationClients.put(edition, createApplicationClients(edition));
        }
        namespace = PrivateDnsNamespace.Builder.create(this, "Namespace").vpc(vpc).name(Names.privateZone(props.landscape().product()))
                .build();
        // lets resolvers retry a missing name soon; by default they may cache its absence for 15 minutes
        ((CfnPrivateDnsNamespace) namespace.getNode().getDefaultChild()).setProperties(CfnPrivateDnsNamespace.PropertiesProperty.builder()
                .dnsProperties(CfnPrivateDnsNamespace.PrivateDnsPropertiesMutableProperty.builder()
                        .soa(CfnPrivateDnsNamespace.SOAProperty.builder().ttl(5).build()).build())
                .build());
        cluster = createCluster();
    }

    IVpc vpc() {
        return vpc;
    }

    /** The security group that the databases of this account admit. */
    SecurityGroup databaseClients() {
        return databaseClients;
    }

    /**
     * The security group that the applications of this edition admit, imported into another stack. The import is immutable, because
     * rules that the other stack adds would make the two stacks depend on each other.
     */
    ISecurityGroup applicationClients(Construct scope, Edition edition) {
        return SecurityGroup.fromSecurityGroupId(scope, applicationClientsId(), applicationClients.get(edition).getSecurityGroupId(),
                SecurityGroupImportOptions.builder().mutable(false).build());
    }

    /** The private DNS zone of the applications. */
    PrivateDnsNamespace namespace() {
        return namespace;
    }

    Cluster cluster() {
        return cluster;
    }

    OperationsTopic operations() {
        return operations;
    }

    /** Creates an encrypted log group with retention. Its name is generated if null. */
    LogGroup logGroup(Construct scope, String id, String name) {
        return LogGroup.Builder.create(scope, id)
                .logGroupName(name).encryptionKey(key).retention(props().protection().logs()).removalPolicy(props().protection().data())
                .build();
    }

    private Key createKey() {
        var key = Key.Builder.create(this, "Key")
                .description("Logs and operations topic of " + props().account().name())
                .enableKeyRotation(true).removalPolicy(props().protection().data()).build();
        var logs = Names.arn("logs", getRegion(), props().account().id(), "log-group:*");
        key.addToResourcePolicy(PolicyStatement.Builder.create()
                .principals(List.of(new ServicePrincipal("logs.%s.%s".formatted(getRegion(), Names.domain(getRegion())))))
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
                .subnetConfiguration(List.of(
                        SubnetConfiguration.builder().name("isolated").subnetType(SubnetType.PRIVATE_ISOLATED).cidrMask(20).build(),
                        // only load balancers are in the public subnets, so no public addresses are assigned automatically
                        SubnetConfiguration.builder().name("public").subnetType(SubnetType.PUBLIC).cidrMask(24).mapPublicIpOnLaunch(false)
                                .build()))
                // would need a custom resource, and nothing uses the default security group
                .restrictDefaultSecurityGroup(false)
                .build();
        Validations.of(vpc).acknowledge(Acknowledgment.builder()
                .id("CloudFormation-Validate::W3010").reason("Fixed names avoid a lookup, so that templates are the same everywhere")
                .build());
        vpc.addFlowLog("FlowLog", FlowLogOptions.builder()
                .destination(FlowLogDestination.toCloudWatchLogs(logGroup(this, "FlowLogs", null))).build());
        vpc.addGatewayEndpoint("S3", GatewayVpcEndpointOptions.builder().service(GatewayVpcEndpointAwsService.S3).build());
        var endpoints = SecurityGroup.Builder.create(this, "Endpoints")
                .vpc(vpc).description("Interface endpoints").allowAllOutbound(false).build();
        endpoints.addIngressRule(Peer.ipv4(CIDR), Port.HTTPS, "anything in this network");
        interfaceEndpoint(vpc, endpoints, "SecretsManager", InterfaceVpcEndpointAwsService.SECRETS_MANAGER);
        interfaceEndpoint(vpc, endpoints, "Sts", InterfaceVpcEndpointAwsService.STS);
        interfaceEndpoint(vpc, endpoints, "Kms", InterfaceVpcEndpointAwsService.KMS);
        interfaceEndpoint(vpc, endpoints, "Registry", InterfaceVpcEndpointAwsService.ECR);
        interfaceEndpoint(vpc, endpoints, "Images", InterfaceVpcEndpointAwsService.ECR_DOCKER);
        interfaceEndpoint(vpc, endpoints, "States", InterfaceVpcEndpointAwsService.STEP_FUNCTIONS);
        interfaceEndpoint(vpc, endpoints, "Logs", InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS);
        if (editions().contains(Edition.DEMO)) {
            interfaceEndpoint(vpc, endpoints, "Sns", InterfaceVpcEndpointAwsService.SNS);
        }
        return vpc;
    }

    /** The editions that the account may host, even without a shard today: an exported value can't be removed while it is imported. */
    private List<Edition> editions() {
        return switch (props().account().purpose()) {
            case PRODUCTION -> List.of(Edition.PRODUCTION);
            case DEMO -> List.of(Edition.DEMO);
            case QA -> List.of(Edition.PRODUCTION, Edition.DEMO);
        };
    }

    private SecurityGroup createApplicationClients(Edition edition) {
        var group = SecurityGroup.Builder.create(this, edition.word() + applicationClientsId())
                .vpc(vpc).description("Proxies of the " + edition.word() + " edition").allowAllOutbound(false).build();
        group.addEgressRule(Peer.ipv4(CIDR), Port.tcp(props().landscape().product().port()), "applications");
        exportValue(group.getSecurityGroupId());
        return group;
    }

    /** {@code ShopFloorClients} for the product {@code shop-floor}. */
    private String applicationClientsId() {
        return Arrays.stream(props().landscape().product().name().split("-"))
                .map(word -> word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1))
                .collect(Collectors.joining("", "", "Clients"));
    }

    private Cluster createCluster() {
        var name = Names.serviceCluster(props().account().name());
        // otherwise the service creates this group itself, without encryption and retention
        var insights = logGroup(this, "ContainerInsights", "/aws/ecs/containerinsights/" + name + "/performance");
        var cluster = Cluster.Builder.create(this, "Cluster").clusterName(name).vpc(vpc).containerInsightsV2(ContainerInsights.ENABLED)
                .build();
        cluster.getNode().addDependency(insights);
        // on the cluster's own property: the CDK would add a resource for it, which only clusters with EC2 instances need
        ((CfnCluster) cluster.getNode().getDefaultChild()).setCapacityProviders(Capacity.PROVIDERS);
        return cluster;
    }

    private static void interfaceEndpoint(Vpc vpc, SecurityGroup group, String id, InterfaceVpcEndpointAwsService service) {
        vpc.addInterfaceEndpoint(id,
                InterfaceVpcEndpointOptions.builder().service(service).open(false).securityGroups(List.of(group)).build());
    }
}
