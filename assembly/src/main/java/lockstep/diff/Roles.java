package lockstep.diff;

import java.util.Optional;
import lockstep.landscape.Edition;
import lockstep.landscape.Landscape;
import lockstep.landscape.Names;

/** Determines the role of a stack, which is independent of its account and is the first part of a key. */
final class Roles {
    private Roles() {}

    /** Returns the role of a stack; empty if the stack is not compared, because it belongs to the other edition or to a further shard. */
    static Optional<String> role(String stack, Side side, Landscape landscape) {
        String account = side.account().name();
        if (stack.equals(Names.shardStack(account, side.shard(landscape).name()))) return Optional.of("shard");
        if (side.account().shards().stream().anyMatch(shard -> stack.equals(Names.shardStack(account, shard.name()))))
            return Optional.empty();
        if (stack.equals(Names.proxyStack(account, side.edition()))) return Optional.of("proxy");
        for (Edition edition : Edition.values()) {
            if (stack.equals(Names.proxyStack(account, edition))) return Optional.empty();
        }
        return Optional.of(stack.startsWith(account + "-") ? stack.substring(account.length() + 1) : stack);
    }
}
