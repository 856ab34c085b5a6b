package lockstep.diff;

/** The kind of a difference. */
enum Axis {
    features("what a user can do and see"),
    infrastructure("what it runs on, and how that is protected"),
    communication("who reaches it, and what it reaches");

    private final String title;

    Axis(String title) {
        this.title = title;
    }

    String title() {
        return title;
    }
}
