package lockstep.valve;

/** A change of broken.yaml as it would be deployed, for who tries it. */
public final class BrokenPolicy {
    private BrokenPolicy() {}

    /**
     * A policy as the change leaves it, its references resolved.
     *
     * @param mutation name of the change
     * @param resource {@code STACK/LOGICAL-ID}
     * @param property of the resource, that is the policy
     * @param liveArn  of what the policy is attached to, in place of the one that the proof makes up; empty when its name is fixed
     */
    public static String document(String mutation, String resource, String property, String attachedTo, String liveArn) {
        var templates = SnapshotTemplates.templates(named(mutation)::apply);
        var document = templates.resources().stream().filter(made -> made.id().equals(resource)).findFirst().orElseThrow(() -> new IllegalArgumentException("no resource " + resource)).property(property).toString();
        if (attachedTo.isEmpty()) return document;
        String madeUp = templates.resources().stream().filter(made -> made.id().equals(attachedTo)).findFirst().orElseThrow(() -> new IllegalArgumentException("no resource " + attachedTo)).arn();
        return document.replace(madeUp, liveArn);
    }

    /** What the proof says of it: whether the step that broken.yaml tells is found. */
    public static boolean isFound(String mutation) {
        var wanted = named(mutation);
        return SnapshotTemplates.proof(wanted::apply).attacks().stream().flatMap(attack -> attack.steps().stream()).anyMatch(step -> CorpusTest.isMeant(step, wanted.find()));
    }

    private static Mutation named(String mutation) {
        return Mutation.read("broken.yaml").stream().filter(known -> known.name().equals(mutation)).findFirst().orElseThrow(() -> new IllegalArgumentException("broken.yaml has no '" + mutation + "'"));
    }
}
