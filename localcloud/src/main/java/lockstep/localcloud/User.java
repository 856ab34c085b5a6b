package lockstep.localcloud;

/** Who can log in to a shard on this machine. */
public record User(String customer, String name, String password) {}
