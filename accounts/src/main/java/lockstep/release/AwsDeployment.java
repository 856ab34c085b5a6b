package lockstep.release;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import lockstep.accounts.AccountAccess;
import lockstep.assembly.Assembly;
import lockstep.accounts.LocalEndpoint;
import lockstep.landscape.Account;
import lockstep.landscape.DataSet;
import lockstep.landscape.Names;
import lockstep.landscape.Shard;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.lambda.LambdaClient;

/** Deploys an assembly to AWS accounts with the CDK command line. */
public final class AwsDeployment {
    private final Cdk cdk;
    private final Path assembly;

    public AwsDeployment(ProjectFiles files, String region, Path assembly) {
        files.create();
        this.cdk = new Cdk(files, region);
        this.assembly = assembly;
    }

    /** Pushes the images to the account, deploys all its stacks, and grants the logins of the sync their rights on new database objects. */
    public void deploy(Account account, AccountAccess access, List<DataSet> dataSets) {
        var stacks = stacks(account);
        BuiltImages.push(account, assembly, stacks, access);
        cdk.deployToAws(account, assembly, stacks, access.environment());
        account.shards().forEach(shard -> prepareDatabase(access, shard, dataSets));
    }

    /** Grants the logins of the sync their rights in a shard's database. */
    public static void prepareDatabase(AccountAccess access, Shard shard, List<DataSet> dataSets) {
        try (var lambda = access.client(LambdaClient.builder())) {
            String function = Names.prepareDatabase();
            var answer = lambda.invoke(r -> r.functionName(function)
                    .payload(SdkBytes
                            .fromUtf8String(Assembly.JSON.writeValueAsString(Map.of("shard", shard.name(), "dataSets", dataSets)))));
            if (answer.functionError() != null)
                throw new UserFault("function " + function + " failed: " + answer.payload().asUtf8String());
        }
    }

    /** Returns what a deployment would change, without changing anything. */
    public String diff(Account account, AccountAccess access, Optional<LocalEndpoint> endpoint) {
        return cdk.diff(account, assembly, stacks(account), access.environment(), endpoint);
    }

    private List<String> stacks(Account account) {
        var stacks = new Assembly(assembly).stacksOf(account).stream().map(Assembly.Stack::name).toList();
        if (stacks.isEmpty()) throw new UserFault("the release has no stack for account " + account.name() + " (" + account.id() + ")");
        return stacks;
    }
}
