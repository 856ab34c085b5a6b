package lockstep.valve;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import lockstep.assembly.Evaluator;
import lockstep.landscape.Account;
import lockstep.landscape.Edition;
import lockstep.landscape.Landscape;
import lockstep.landscape.Names;
import lockstep.landscape.Purpose;
import lockstep.valve.Statement.Right;
import lockstep.valve.Statement.Source;
import lockstep.valve.Templates.Resource;

/**
 * The closed list of what each party may reach. It is derived from the landscape; only the limit of the reader role to published parts is
 * defined here.
 */
final class Claim {
    /** An entry of the closed list. @param source the source account of the data */
    record Permit(String source, Glob action, Glob resource) {
        boolean covers(Right right) {
            return action.covers(right.action()) && resource.covers(right.resource());
        }
    }

    private final Landscape landscape;
    private final List<Permit> entry = new ArrayList<>();
    private final List<Permit> announcements = new ArrayList<>();
    private final List<Permit> reader = new ArrayList<>();

    Claim(Templates templates) {
        landscape = templates.landscape();
        for (var source : landscape.accounts()) {
            if (landscape.sourcesIn(source).isEmpty()) continue;
            String name = source.name(), region = landscape.regionOf(source), bucket = "arn:aws:s3:::" + Names.bucket(source.id(), region);
            entry.add(permit(name, "sts:AssumeRole", Names.roleArn(region, source.id(), Names.readerRole())));
            String topic = Evaluator.canonical(Names.topicArn(region, source.id(), Names.topic()));
            announcements.add(permit(name, "sns:Subscribe", topic));
            announcements.add(permit(name, "sns:GetTopicAttributes", topic));
            reader.add(permit(name, "s3:GetObject", bucket + "/manifests/*"));
            reader.add(permit(name, "s3:GetObject", bucket + "/parts/*"));
            templates.named(bucket)
                    .map(made -> made.property("BucketEncryption")
                            .at("/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault/KMSMasterKeyID").asString(""))
                    .filter(key -> key.startsWith("arn:")).ifPresent(key -> reader.add(permit(name, "kms:Decrypt", key)));
            String alias = Names.signingKeyAlias();
            reader.add(permit(name, "kms:Verify", Names.keyAliasArn(region, source.id(), alias)));
            templates.ofType("AWS::KMS::Alias").filter(made -> made.account().equals(source) && made.text("AliasName").equals(alias))
                    .map(made -> made.text("TargetKeyId"))
                    .filter(key -> key.startsWith("arn:")).forEach(key -> reader.add(permit(name, "kms:Verify", key)));
        }
    }

    private static Permit permit(String source, String action, String resource) {
        return new Permit(source, Glob.action(action), new Glob(Evaluator.canonical(resource)));
    }

    static boolean isProduction(Account account) {
        return account.purpose() == Purpose.PRODUCTION;
    }

    /** The roles of a target account that may assume the reader roles. */
    static List<String> readers(Account account) {
        // in the partition aws, as all ARNs of evaluated templates
        return Stream.of(Names.workerRole(), Names.watchRole()).map(role -> Names.roleArn("", account.id(), role)).toList();
    }

    /** Returns the source accounts whose reader role the holder has assumed. */
    Set<String> readerRoleOf(Holder holder) {
        var sources = new TreeSet<String>();
        holder.identity().ifPresent(identity -> entry.stream().filter(permit -> permit.resource().text().equals(identity.arn()))
                .forEach(permit -> sources.add(permit.source())));
        return sources;
    }

    boolean permits(Search.Start start, Holder holder, Right right) {
        if (!start.receives()) return false;
        var own = readerRoleOf(holder);
        if (!own.isEmpty()) return reader.stream().anyMatch(permit -> own.contains(permit.source()) && permit.covers(right));
        return entry.stream().anyMatch(permit -> holder.readerOf().contains(permit.source()) && permit.covers(right))
                || holder.kind() == Holder.Kind.PRINCIPAL && announcements.stream().anyMatch(permit -> permit.covers(right));
    }

    /** Returns the stacks of the demo edition in an account that has both editions. */
    static Set<String> demoStacks(Account account) {
        var stacks = new TreeSet<String>();
        account.shardsOf(Edition.DEMO).forEach(shard -> stacks.add(Names.shardStack(account.name(), shard.name())));
        stacks.add(Names.proxyStack(account.name(), Edition.DEMO));
        return stacks;
    }

    /**
     * Reports whether a statement admits only AWS log delivery. This is not public access: load balancer logs come from an account that AWS
     * owns, and the log delivery service writes the logs of an account under that account's number, whoever asks it to.
     */
    boolean isLogDelivery(Statement statement, Right right, Source source) {
        var account = landscape.accounts().stream().filter(known -> known.name().equals(source.account())).findFirst().orElseThrow();
        boolean balancer = statement.principals().stream().allMatch(principal -> LoadBalancerAccounts.contains(principal.value()));
        boolean service = statement.principals().stream()
                .allMatch(principal -> principal.kind().equals("Service") && principal.value().equals("delivery.logs.amazonaws.com"));
        boolean put = right.action().text().equals("s3:putobject")
                && right.resource().text().matches("arn:aws:s3:::[^*?]*/AWSLogs/" + account.id() + "/\\*");
        return !statement.notPrincipals() && !statement.principals().isEmpty()
                && (balancer && put || service && (put || right.action().text().equals("s3:getbucketacl")));
    }

    static boolean isFrontDoor(Resource loadBalancer, Edition edition) {
        return loadBalancer.account().proxyOf(edition).isPresent()
                && loadBalancer.stack().equals(Names.proxyStack(loadBalancer.account().name(), edition));
    }
}
