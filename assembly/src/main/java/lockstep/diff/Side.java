package lockstep.diff;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import lockstep.landscape.Account;
import lockstep.landscape.Edition;
import lockstep.landscape.Landscape;
import lockstep.landscape.Shard;

/** One of the two that are compared: an edition where it lives. */
public record Side(Account account, Edition edition) {

    /** All sides of a landscape: each edition of each account that has a shard of it. */
    public static List<Side> in(Landscape landscape) {
        var sides = new ArrayList<Side>();
        for (Account account : landscape.accounts()) {
            for (Edition edition : Edition.values()) {
                if (!account.shardsOf(edition).isEmpty()) sides.add(new Side(account, edition));
            }
        }
        return sides;
    }

    /** What a name stands for: an account, {@code ACCOUNT/EDITION}, or an edition that one account alone has; empty for none and for several. */
    public static Optional<Side> named(String name, Landscape landscape) {
        var sides = in(landscape);
        var exact = sides.stream().filter(side -> side.fullName().equals(name)).toList();
        var ofAccount = sides.stream().filter(side -> side.account.name().equals(name)).toList();
        var ofEdition = sides.stream().filter(side -> side.edition.word().equals(name)).toList();
        return List.of(exact, ofAccount, ofEdition).stream().filter(found -> found.size() == 1).map(List::getFirst).findFirst();
    }

    /** As short as it can be said. */
    public String name() {
        return account.name().equals(edition.word()) ? account.name() : fullName();
    }

    String fullName() {
        return account.name() + "/" + edition.word();
    }

    /**
     * The shard that stands for all of this edition: the first that receives a data set, for the source is like no other.
     */
    Shard shard(Landscape landscape) {
        var shards = account.shardsOf(edition);
        return shards.stream().filter(shard -> landscape.dataSets().stream().noneMatch(dataSet -> dataSet.source().equals(shard.name()))).findFirst().orElse(shards.getFirst());
    }
}
