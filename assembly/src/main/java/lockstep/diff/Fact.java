package lockstep.diff;

/**
 * Something that is so on one side.
 *
 * @param hidden whether the value is compared only, and never shown
 * @param source the file and the place in it
 * @param whole  the key of what this is a part of, told as one when the other side has nothing of it: of its resource, or of the whole
 *               stack for what somebody is allowed to do, so that one more right is never hidden; empty when this is always told by itself
 */
record Fact(Axis axis, String value, boolean hidden, String source, String whole) {
    /** Told by itself. */
    Fact(Axis axis, String value, String source) {
        this(axis, value, false, source, "");
    }

    String shown() {
        return hidden ? "(hidden)" : value;
    }
}
