package lockstep.accounts;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import lockstep.landscape.Account;
import lockstep.landscape.Edition;
import software.amazon.awssdk.services.ecs.EcsClient;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.KeyValuePair;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;

/** The task definition that an ECS service of an account runs: the application of a shard, or the proxy of an edition. */
public record DeployedTask(Account account, String service, TaskDefinition definition) {

    /** Returns the tasks of an account, sorted by service name. */
    public static List<DeployedTask> of(Account account, AccountAccess access) {
        var tasks = new ArrayList<DeployedTask>();
        try (var ecs = access.client(EcsClient.builder())) {
            for (String cluster : ecs.listClustersPaginator().clusterArns()) {
                for (String service : ecs.listServicesPaginator(r -> r.cluster(cluster)).serviceArns()) {
                    var found = ecs.describeServices(r -> r.cluster(cluster).services(service)).services().getFirst();
                    if (found.status().equals("ACTIVE")) {
                        tasks.add(new DeployedTask(account, found.serviceName(),
                                ecs.describeTaskDefinition(r -> r.taskDefinition(found.taskDefinition())).taskDefinition()));
                    }
                }
            }
        }
        // the account may contain other services
        return tasks.stream().filter(task -> task.variable("EDITION").isPresent()).sorted(Comparator.comparing(DeployedTask::service))
                .toList();
    }

    /** Returns the proxy of an edition in an account. */
    public static Optional<DeployedTask> proxy(Account account, Edition edition, AccountAccess access) {
        return of(account, access).stream().filter(task -> task.shard().isEmpty() && task.edition() == edition).findFirst();
    }

    public Edition edition() {
        return Edition.valueOf(variable("EDITION").orElseThrow().toUpperCase(java.util.Locale.ROOT));
    }

    /** Returns the shard of an application; empty for a proxy. */
    public Optional<String> shard() {
        return variable("SHARD");
    }

    public ContainerDefinition container(String name) {
        return definition.containerDefinitions().stream().filter(container -> container.name().equals(name)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("service " + service + " has no container '" + name + "'"));
    }

    /** Returns the value of an environment variable in the first container that has it. */
    public Optional<String> variable(String name) {
        return definition.containerDefinitions().stream().flatMap(container -> container.environment().stream())
                .filter(variable -> variable.name().equals(name)).map(KeyValuePair::value).findFirst();
    }
}
