package lockstep.landscape;

/** The variant of the product that a shard runs. */
public enum Edition { PRODUCTION, DEMO }
