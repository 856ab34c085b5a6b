package lockstep.masterdata.handler;

/** Reads a source's database and writes parts. */
public final class ReadSource extends Steps {
    public ReadSource() {
        super(new HoldSnapshot(), new DumpParts());
    }
}
