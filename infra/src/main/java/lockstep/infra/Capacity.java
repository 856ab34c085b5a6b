package lockstep.infra;

import java.util.List;
import lockstep.landscape.Edition;
import software.amazon.awscdk.services.ecs.CapacityProviderStrategy;

/**
 * What an edition's services may use. Most of the demo's tasks, beyond the first, may be taken away at two minutes' notice; they cost a third.
 *
 * @param clinic   CPU units of a task of the product; 1024 are one CPU. A task has twice as many MiB of memory
 * @param proxy    CPU units of a task of the first hop
 * @param minTasks of each service
 * @param maxTasks of each service
 */
record Capacity(int clinic, int proxy, int minTasks, int maxTasks, List<CapacityProviderStrategy> providers) {
    static final List<String> PROVIDERS = List.of("FARGATE", "FARGATE_SPOT");

    static Capacity of(Edition edition) {
        return switch (edition) {
            case PRODUCTION -> new Capacity(1024, 512, 2, 8, List.of(provider("FARGATE").weight(1).build()));
            // ECS places nothing, not even the base, with a weight of 0
            case DEMO -> new Capacity(512, 256, 1, 4, List.of(provider("FARGATE").base(1).weight(1).build(), provider("FARGATE_SPOT").weight(4).build()));
        };
    }

    private static CapacityProviderStrategy.Builder provider(String name) {
        return CapacityProviderStrategy.builder().capacityProvider(name);
    }
}
