package lockstep.infra;

import java.util.List;
import lockstep.landscape.Edition;
import software.amazon.awscdk.services.ecs.CapacityProviderStrategy;

/**
 * The CPU and the number of tasks of an edition's services. Most of the demo's tasks beyond the first run on Fargate Spot: AWS may reclaim
 * them at two minutes' notice, and they cost a third.
 *
 * @param product  CPU units of a task of the product; 1024 units are one CPU. A task has two MiB of memory per unit
 * @param proxy    CPU units of a task of the proxy
 * @param minTasks the minimum number of tasks of each service
 * @param maxTasks the maximum number of tasks of each service
 */
record Capacity(int product, int proxy, int minTasks, int maxTasks, List<CapacityProviderStrategy> providers) {
    static final List<String> PROVIDERS = List.of("FARGATE", "FARGATE_SPOT");

    static Capacity of(Edition edition) {
        return switch (edition) {
            case PRODUCTION -> new Capacity(1024, 512, 2, 8, List.of(provider("FARGATE").weight(1).build()));
            // with a weight of 0, ECS would place no tasks at all, not even the base
            case DEMO -> new Capacity(512, 256, 1, 4,
                    List.of(provider("FARGATE").base(1).weight(1).build(), provider("FARGATE_SPOT").weight(4).build()));
        };
    }

    private static CapacityProviderStrategy.Builder provider(String name) {
        return CapacityProviderStrategy.builder().capacityProvider(name);
    }
}
