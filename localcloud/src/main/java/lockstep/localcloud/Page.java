package lockstep.localcloud;

/**
 * The local browser address of a shard.
 *
 * @param account the name of its account
 * @param edition the name of the edition in lockstep.yaml
 */
public record Page(String account, String edition, String shard, String url) {}
