package lockstep.landscape;

/** One application and one database for a group of customers. The name is unique in the landscape. */
public record Shard(String name, Edition edition) {}
