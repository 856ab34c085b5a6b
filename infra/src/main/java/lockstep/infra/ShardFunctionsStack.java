package lockstep.infra;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import lockstep.landscape.DatabaseUser;
import lockstep.landscape.ExistingDatabase;
import lockstep.landscape.Names;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.constructs.Construct;

/**
 * The functions that prepare the databases of an account's shards and report on them. One of each serves all shards: they find a shard's
 * logins by the names of its secrets. It is a separate stack because it changes with each release, unlike the shards.
 */
final class ShardFunctionsStack extends AccountStack {
    ShardFunctionsStack(Construct scope, String id, Props props, NetworkStack network) {
        super(scope, id, props, "Lockstep: functions for the shards of " + props.account().name());
        var prepare = new HandlerFunction(this,
                new HandlerFunction.Props(network, Handler.PREPARE_DATABASE).named(Names.prepareDatabase()));
        var administrators = props.account().shards().stream().flatMap(shard -> shard.database().stream()).map(ExistingDatabase::secret);
        grantSecrets(prepare,
                Stream.concat(secrets(DatabaseUser.ADMIN, DatabaseUser.READER, DatabaseUser.WRITER), administrators).toList());
        var report = new HandlerFunction(this, new HandlerFunction.Props(network, Handler.REPORT_STATUS).named(Names.reportStatus()));
        grantSecrets(report, secrets(DatabaseUser.READER).toList());
    }

    /** Allows invoking the function that reports on the shards of an account. */
    static PolicyStatement report(Props props) {
        return PolicyStatement.Builder.create().actions(List.of("lambda:InvokeFunction"))
                .resources(List.of(Names.functionArn(props.region(), props.account().id(), Names.reportStatus()))).build();
    }

    /** By name, so that a shard can be added without changing this stack. */
    private Stream<String> secrets(DatabaseUser... users) {
        // Secrets Manager adds six characters to a secret's name
        return Stream.of(users).map(user -> Names.arn("secretsmanager", getRegion(), props().account().id(),
                "secret:" + Names.secret("*", user) + "-??????"));
    }

    /** Each shard has its own key, which IAM knows only by its use. */
    private void grantSecrets(HandlerFunction function, List<String> secrets) {
        function.addToRolePolicy(
                PolicyStatement.Builder.create().actions(List.of("secretsmanager:GetSecretValue")).resources(secrets).build());
        function.addToRolePolicy(PolicyStatement.Builder.create().actions(List.of("kms:Decrypt"))
                .resources(List.of(Names.arn("kms", getRegion(), props().account().id(), "key/*")))
                .conditions(Workflow.sorted(Map.of("StringEquals",
                        Map.of("kms:ViaService", "secretsmanager.%s.amazonaws.com".formatted(getRegion())),
                        "ArnLike", Map.of("kms:EncryptionContext:SecretARN", secrets))))
                .build());
        Accepted.finding(function.getRole(), "AwsSolutions-IAM5",
                "The logins of all shards of this account, and their keys only for these secrets",
                "/^Resource::arn:aws[a-z-]*:secretsmanager:.*:secret:lockstep\\/\\*\\/[a-z]+-\\?{6}$/",
                "/^Resource::arn:aws[a-z-]*:kms:.*:key\\/\\*$/");
    }
}
