package lockstep.cli.cloud;

import lockstep.landscape.Edition;

/**
 * Where a shard is open to browsers on this machine.
 *
 * @param account the name of its account
 */
public record Page(String account, Edition edition, String shard, String url) {}
