package lockstep.masterdata.handler;

/** Restores shards of a target account. */
public final class RestoreShards extends Steps {
    public RestoreShards() {
        super(new Preflight(), new StageParts(), new Publish(), new Record());
    }
}
