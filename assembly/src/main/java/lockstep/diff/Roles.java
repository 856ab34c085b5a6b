package lockstep.diff;

import java.util.Optional;
import lockstep.landscape.Edition;
import lockstep.landscape.Landscape;
import lockstep.landscape.Names;

/** What a stack is for, whatever account it is in: the first word of a key. */
final class Roles {
    private Roles() {}

    /** Empty for a stack that is not compared: of the other edition, or of one more shard like the one that is. */
    static Optional<String> role(String stack, Side side, Landscape landscape) {
        String account = side.account().name();
        if (stack.equals(Names.shardStack(account, side.shard(landscape).name()))) return Optional.of("shard");
        if (side.account().shards().stream().anyMatch(shard -> stack.equals(Names.shardStack(account, shard.name())))) return Optional.empty();
        if (stack.equals(Names.proxyStack(account, side.edition()))) return Optional.of("proxy");
        for (Edition edition : Edition.values()) {
            if (stack.equals(Names.proxyStack(account, edition))) return Optional.empty();
        }
        return Optional.of(stack.startsWith(account + "-") ? stack.substring(account.length() + 1) : stack);
    }
}
