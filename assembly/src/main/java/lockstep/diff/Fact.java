package lockstep.diff;

/**
 * A value on one side of a comparison.
 *
 * @param hidden whether the value is only compared and never shown
 * @param source the file and the place in it
 * @param whole  the key of the whole that this is part of. If the other side lacks the whole, its parts are reported as one difference. The
 *         whole is the resource, or for permissions the stack, so that an additional right is never hidden; empty if this is always
 *         reported alone
 */
record Fact(Axis axis, String value, boolean hidden, String source, String whole) {
    /** Creates a fact that is always reported alone. */
    Fact(Axis axis, String value, String source) {
        this(axis, value, false, source, "");
    }

    String shown() {
        return hidden ? "(hidden)" : value;
    }
}
