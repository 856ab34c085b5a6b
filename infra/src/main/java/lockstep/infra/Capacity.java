package lockstep.infra;

import java.util.List;
import lockstep.landscape.Edition;
import software.amazon.awscdk.services.ecs.CapacityProviderStrategy;

/**
 * What an edition's services may use. The demo's tasks may be taken away at two minutes' notice, all but one, for a third of the price.
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
            case PRODUCTION -> new Capacity(1024, 512, 2, 8, List.of(provider("FARGATE", 2, 1)));
            case DEMO -> new Capacity(512, 256, 1, 4, List.of(provider("FARGATE", 1, 0), provider("FARGATE_SPOT", 0, 1)));
        };
    }

    private static CapacityProviderStrategy provider(String name, int base, int weight) {
        return CapacityProviderStrategy.builder().capacityProvider(name).base(base).weight(weight).build();
    }
}
