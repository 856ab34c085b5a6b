package lockstep.localcloud;

/** A user that can log in to a local shard. */
public record User(String customer, String name, String password) {}
