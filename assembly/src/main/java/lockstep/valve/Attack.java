package lockstep.valve;

import java.util.List;

/**
 * A way to break a claim, step by step.
 *
 * @param claim the one that it breaks
 */
record Attack(Broken claim, String title, List<Step> steps) {
    enum Broken {
        REACH("demo and qa-demo reach nothing of production but, as its reader role, the published parts"),
        PUBLIC("the public reaches nothing but the front doors"),
        FLOW("nothing sends data from demo to production");

        private final String words;

        Broken(String words) {
            this.words = words;
        }

        String words() {
            return words;
        }
    }

    /**
     * @param by the statements and resources that let it happen
     * @param note what else there is to say; may be empty
     */
    record Step(String principal, String action, String resource, List<String> by, String note) {
        Step {
            by = List.copyOf(by);
        }
    }

    Attack {
        steps = List.copyOf(steps);
    }
}
