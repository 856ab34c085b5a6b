package lockstep.diff;

import java.util.Optional;
import lockstep.landscape.Edition;
import lockstep.landscape.Landscape;
import lockstep.landscape.Names;

/** Determines the role of a stack, which is independent of its account and is the first part of a key. */
final class Roles {
    private Roles() {}

    /** Returns the role of a stack; empty if it belongs to the other edition, to a further shard or to an existing database. */
    static Optional<String> role(String stack, Side side, Landscape landscape) {
        String account = side.account().name();
        var compared = side.shard(landscape);
        if (compared.runsProduct() && stack.equals(Names.shardStack(account, compared.name()))) return Optional.of("shard");
        if (side.account().shards().stream().anyMatch(shard -> stack.equals(Names.shardStack(account, shard.name()))))
            return Optional.empty();
        if (stack.equals(Names.proxyStack(account, side.edition()))) return Optional.of("proxy");
        for (Edition edition : Edition.values()) {
            if (stack.equals(Names.proxyStack(account, edition))) return Optional.empty();
        }
        return Optional.of(stack.startsWith(account + "-") ? stack.substring(account.length() + 1) : stack);
    }
}
