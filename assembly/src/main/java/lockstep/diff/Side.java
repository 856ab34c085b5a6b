package lockstep.diff;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import lockstep.landscape.Account;
import lockstep.landscape.Edition;
import lockstep.landscape.Landscape;
import lockstep.landscape.Shard;

/** One side of a comparison: an edition in an account. */
public record Side(Account account, Edition edition) {

    /** Returns all sides of a landscape: each edition that has a shard in an account. */
    public static List<Side> in(Landscape landscape) {
        var sides = new ArrayList<Side>();
        for (Account account : landscape.accounts()) {
            for (Edition edition : Edition.values()) {
                if (!account.shardsOf(edition).isEmpty()) sides.add(new Side(account, edition));
            }
        }
        return sides;
    }

    /** Returns the side with a name: an account, {@code ACCOUNT/EDITION}, or an edition; empty if no side or several match. */
    public static Optional<Side> named(String name, Landscape landscape) {
        var sides = in(landscape);
        var exact = sides.stream().filter(side -> side.fullName().equals(name)).toList();
        var ofAccount = sides.stream().filter(side -> side.account.name().equals(name)).toList();
        var ofEdition = sides.stream().filter(side -> side.edition.word().equals(name)).toList();
        return List.of(exact, ofAccount, ofEdition).stream().filter(found -> found.size() == 1).map(List::getFirst).findFirst();
    }

    /** Returns the shortest unambiguous name. */
    public String name() {
        return account.name().equals(edition.word()) ? account.name() : fullName();
    }

    String fullName() {
        return account.name() + "/" + edition.word();
    }

    /**
     * Returns the shard that represents the edition: the first that runs the product and is not a source, because a source is unlike all
     * others.
     */
    Shard shard(Landscape landscape) {
        var running = account.applicationsOf(edition);
        var shards = running.isEmpty() ? account.shardsOf(edition) : running;
        return shards.stream().filter(shard -> landscape.dataSets().stream().noneMatch(dataSet -> dataSet.source().equals(shard.name())))
                .findFirst().orElse(shards.getFirst());
    }
}
