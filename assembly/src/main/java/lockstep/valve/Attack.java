package lockstep.valve;

import java.util.List;

/**
 * A sequence of steps that breaks a claim.
 *
 * @param claim the claim that it breaks
 */
record Attack(Broken claim, String title, List<Step> steps) {
    enum Broken {
        REACH("demo and qa-demo reach nothing in production except the published parts, as its reader role"),
        PUBLIC("the public reaches nothing except the front doors"),
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
     * @param by   the statements and resources that allow the step
     * @param note a further explanation; may be empty
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
