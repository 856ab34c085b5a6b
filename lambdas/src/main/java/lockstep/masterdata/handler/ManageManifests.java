package lockstep.masterdata.handler;

/** Manages the syncs and manifests of a source account. It has no access to a database. */
public final class ManageManifests extends Steps {
    public ManageManifests() {
        super(new AwaitSnapshot(), new SealManifest(), new Assess(), new Admit(), new ReleaseSnapshot(), new CollectParts(),
                new StartSync());
    }
}
