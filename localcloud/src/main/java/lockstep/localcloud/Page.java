package lockstep.localcloud;

/**
 * Where a shard is open to browsers on this machine.
 *
 * @param account the name of its account
 * @param edition as lockstep.yaml writes it
 */
public record Page(String account, String edition, String shard, String url) {}
