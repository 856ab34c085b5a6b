package lockstep.infra;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lockstep.landscape.Edition;
import lockstep.landscape.ExistingDatabase;
import lockstep.landscape.ExistingNetwork;
import lockstep.landscape.Names;
import lockstep.landscape.Product;
import software.amazon.awscdk.Acknowledgment;
import software.amazon.awscdk.Annotations;
import software.amazon.awscdk.CfnOutput;
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
import software.amazon.awscdk.services.ec2.SubnetSelection;
import software.amazon.awscdk.services.ec2.SubnetType;
import software.amazon.awscdk.services.ec2.Vpc;
import software.amazon.awscdk.services.ec2.VpcAttributes;
import software.amazon.awscdk.services.ecs.CfnCluster;
import software.amazon.awscdk.services.ecs.Cluster;
import software.amazon.awscdk.services.ecs.ContainerInsights;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.amazon.awscdk.services.iam.ServicePrincipal;
import software.amazon.awscdk.services.kms.Key;
import software.amazon.awscdk.services.logs.LogGroup;
import software.amazon.awscdk.services.servicediscovery.CfnPrivateDnsNamespace;
import software.amazon.awscdk.services.servicediscovery.IPrivateDnsNamespace;
import software.amazon.awscdk.services.servicediscovery.PrivateDnsNamespace;
import software.amazon.awscdk.services.servicediscovery.PrivateDnsNamespaceAttributes;
import software.constructs.Construct;

/**
 * The resources that all stacks of an account share: a network in which only load balancers reach the internet, or what an existing network
 * lacks; the ECS cluster, the key of the logs, and the operations topic. It is a separate stack because everything depends on it,
 * and it changes about once a year.
 */
final class NetworkStack extends AccountStack {
    /** The addresses of a network that is created here: the same in each account, because these networks are never connected. */
    private static final String CIDR = "10.0.0.0/16";

    private static final SubnetSelection ISOLATED = SubnetSelection.builder().subnetType(SubnetType.PRIVATE_ISOLATED).build();

    private final Key key;
    private final OperationsTopic operations;
    private final Optional<ExistingNetwork> existing;
    private final IVpc vpc;
    private final ISecurityGroup databaseClients;
    private final Map<Edition, SecurityGroup> applicationClients = new EnumMap<>(Edition.class);
    private final Optional<IPrivateDnsNamespace> namespace;
    private final Cluster cluster;

    NetworkStack(Construct scope, String id, Props props) {
        super(scope, id, props, "Lockstep: network, cluster, log key and operations topic of " + props.account().name());
        key = createKey();
        operations = new OperationsTopic(this, "Operations", key);
        existing = props.account().network();
        vpc = existing.map(this::importVpc).orElseGet(this::createVpc);
        addEndpoints();
        databaseClients = existing.flatMap(ExistingNetwork::securityGroup)
                .map(group -> SecurityGroup.fromSecurityGroupId(this, "DatabaseClients", group,
                        SecurityGroupImportOptions.builder().mutable(false).build()))
                .orElseGet(this::createDatabaseClients);
        props.landscape().product().ifPresent(product -> editions()
                .forEach(edition -> applicationClients.put(edition, createApplicationClients(edition, product))));
        namespace = props.landscape().product().map(product -> existing.flatMap(ExistingNetwork::namespace).map(this::importNamespace)
                .orElseGet(() -> createNamespace(product)));
        cluster = createCluster();
    }

    IVpc vpc() {
        return vpc;
    }

    /** The IPv4 addresses of the network. */
    String cidr() {
        return existing.map(ExistingNetwork::cidr).orElse(CIDR);
    }

    /** The security group that the databases of this account admit. */
    ISecurityGroup databaseClients() {
        return databaseClients;
    }

    /**
     * The security group that the applications of this edition admit, imported into another stack. The import is immutable, because
     * rules that the other stack adds would make the two stacks depend on each other.
     */
    ISecurityGroup applicationClients(Construct scope, Edition edition) {
        return SecurityGroup.fromSecurityGroupId(scope, applicationClientsId(props().landscape().product().orElseThrow()),
                applicationClients.get(edition).getSecurityGroupId(),
                SecurityGroupImportOptions.builder().mutable(false).build());
    }

    /** The private DNS zone of the applications. */
    IPrivateDnsNamespace namespace() {
        return namespace.orElseThrow();
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
        return vpc;
    }

    /** By ids alone: a lookup would make templates depend on where they are synthesized. */
    private IVpc importVpc(ExistingNetwork network) {
        var attributes = VpcAttributes.builder().vpcId(network.vpc()).vpcCidrBlock(network.cidr())
                .availabilityZones(List.copyOf(network.subnets().keySet()))
                .isolatedSubnetIds(List.copyOf(network.subnets().values()));
        if (!network.routeTables().isEmpty()) attributes.isolatedSubnetRouteTableIds(network.routeTables());
        if (!network.publicSubnets().isEmpty())
            attributes.publicSubnetIds(network.subnets().keySet().stream().map(network.publicSubnets()::get).toList());
        var vpc = Vpc.fromVpcAttributes(this, "Vpc", attributes.build());
        // read only for the endpoint of S3
        Annotations.of(this).acknowledgeWarning("@aws-cdk/aws-ec2:noSubnetRouteTableId");
        return vpc;
    }

    /** Creates the endpoints that the network lacks, by the services' names in endpoints. */
    private void addEndpoints() {
        var others = existing.map(ExistingNetwork::endpoints).orElse(List.of());
        if (!others.contains("s3")) vpc.addGatewayEndpoint("S3",
                GatewayVpcEndpointOptions.builder().service(GatewayVpcEndpointAwsService.S3).build());
        var services = new LinkedHashMap<String, InterfaceVpcEndpointAwsService>();
        services.put("SecretsManager", InterfaceVpcEndpointAwsService.SECRETS_MANAGER);
        services.put("Sts", InterfaceVpcEndpointAwsService.STS);
        services.put("Kms", InterfaceVpcEndpointAwsService.KMS);
        services.put("Registry", InterfaceVpcEndpointAwsService.ECR);
        services.put("Images", InterfaceVpcEndpointAwsService.ECR_DOCKER);
        services.put("States", InterfaceVpcEndpointAwsService.STEP_FUNCTIONS);
        services.put("Logs", InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS);
        if (editions().contains(Edition.DEMO) && props().landscape().product().isPresent())
            services.put("Sns", InterfaceVpcEndpointAwsService.SNS);
        services.values().removeIf(service -> others.contains(service.getShortName()));
        if (services.isEmpty()) return;
        var group = SecurityGroup.Builder.create(this, "Endpoints")
                .vpc(vpc).description("Interface endpoints").allowAllOutbound(false).build();
        group.addIngressRule(Peer.ipv4(cidr()), Port.HTTPS, "anything in this network");
        services.forEach((id, service) -> vpc.addInterfaceEndpoint(id, InterfaceVpcEndpointOptions.builder().service(service).open(false)
                .subnets(ISOLATED).securityGroups(List.of(group)).build()));
    }

    private SecurityGroup createDatabaseClients() {
        var group = SecurityGroup.Builder.create(this, "DatabaseClients")
                .vpc(vpc).description("Functions that may open a database").allowAllOutbound(false).build();
        Stream.concat(Stream.of(5432), props().account().shards().stream().flatMap(shard -> shard.database().stream())
                .map(ExistingDatabase::port)).distinct()
                .forEach(port -> group.addEgressRule(Peer.ipv4(cidr()), Port.tcp(port), "databases"));
        group.addEgressRule(Peer.anyIpv4(), Port.HTTPS, "S3 and the interface endpoints; there is no other route");
        // existing databases must admit it
        if (existing.isPresent()) CfnOutput.Builder.create(this, "DatabaseClientsGroup").value(group.getSecurityGroupId()).build();
        return group;
    }

    private IPrivateDnsNamespace createNamespace(Product product) {
        var created = PrivateDnsNamespace.Builder.create(this, "Namespace").vpc(vpc).name(Names.privateZone(props().account(), product))
                .build();
        // lets resolvers retry a missing name soon; by default they may cache its absence for 15 minutes
        ((CfnPrivateDnsNamespace) created.getNode().getDefaultChild()).setProperties(CfnPrivateDnsNamespace.PropertiesProperty.builder()
                .dnsProperties(CfnPrivateDnsNamespace.PrivateDnsPropertiesMutableProperty.builder()
                        .soa(CfnPrivateDnsNamespace.SOAProperty.builder().ttl(5).build()).build())
                .build());
        return created;
    }

    private IPrivateDnsNamespace importNamespace(ExistingNetwork.Namespace known) {
        return PrivateDnsNamespace.fromPrivateDnsNamespaceAttributes(this, "Namespace", PrivateDnsNamespaceAttributes.builder()
                .namespaceId(known.id()).namespaceName(known.name())
                .namespaceArn(Names.arn("servicediscovery", getRegion(), props().account().id(), "namespace/" + known.id()))
                .build());
    }

    /** The editions that the account may host, even without a shard today: an exported value can't be removed while it is imported. */
    private List<Edition> editions() {
        return switch (props().account().purpose()) {
            case PRODUCTION -> List.of(Edition.PRODUCTION);
            case DEMO -> List.of(Edition.DEMO);
            case QA -> List.of(Edition.PRODUCTION, Edition.DEMO);
        };
    }

    private SecurityGroup createApplicationClients(Edition edition, Product product) {
        var group = SecurityGroup.Builder.create(this, edition.word() + applicationClientsId(product))
                .vpc(vpc).description("Proxies of the " + edition.word() + " edition").allowAllOutbound(false).build();
        group.addEgressRule(Peer.ipv4(cidr()), Port.tcp(product.port()), "applications");
        exportValue(group.getSecurityGroupId());
        return group;
    }

    /** {@code ShopFloorClients} for the product {@code shop-floor}. */
    private static String applicationClientsId(Product product) {
        return Arrays.stream(product.name().split("-"))
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
}
