package lockstep.valve;

/** Provides the changes of broken.yaml as deployable policies, for tests that try them. */
public final class BrokenPolicy {
    private BrokenPolicy() {}

    /**
     * Returns a policy after a change, with resolved references.
     *
     * @param mutation the name of the change
     * @param resource {@code STACK/LOGICAL-ID}
     * @param property the property of the resource that contains the policy
     * @param liveArn  the actual ARN of the resource that the policy is attached to, which replaces the generated one; empty if the name is
     *         fixed
     */
    public static String document(String mutation, String resource, String property, String attachedTo, String liveArn) {
        var templates = SnapshotTemplates.templates(named(mutation)::apply);
        var document = templates.resources().stream().filter(made -> made.id().equals(resource)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no resource " + resource)).property(property).toString();
        if (attachedTo.isEmpty()) return document;
        String madeUp = templates.resources().stream().filter(made -> made.id().equals(attachedTo)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no resource " + attachedTo)).arn();
        return document.replace(madeUp, liveArn);
    }

    /** Reports whether the proof finds the step that broken.yaml expects. */
    public static boolean isFound(String mutation) {
        var wanted = named(mutation);
        return SnapshotTemplates.proof(wanted::apply).attacks().stream().flatMap(attack -> attack.steps().stream())
                .anyMatch(step -> CorpusTest.isExpected(step, wanted.find()));
    }

    private static Mutation named(String mutation) {
        return Mutation.read("broken.yaml").stream().filter(known -> known.name().equals(mutation)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("broken.yaml has no '" + mutation + "'"));
    }
}
