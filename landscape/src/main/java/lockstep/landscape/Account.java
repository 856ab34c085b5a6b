package lockstep.landscape;

import java.util.List;

/** An AWS account: its name in the landscape, its id of 12 digits, what it is for, and its shards in file order. */
public record Account(String name, String id, Purpose purpose, List<Shard> shards) {
    public Account {
        shards = List.copyOf(shards);
    }
}
