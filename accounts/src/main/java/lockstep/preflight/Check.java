package lockstep.preflight;

/** A check of one account, which reads the account and decides. */
interface Check {
    String name();

    /** @throws AccountReader.Refused if a read is refused; the check then counts as not made */
    Result of(AccountReader account);

    /** Whether a deployment can go on. What could not be checked is not ok. */
    enum State {
        OK("ok"), WRONG("wrong"), UNCHECKED("unchecked");

        private final String word;

        State(String word) {
            this.word = word;
        }

        @Override
        public String toString() {
            return word;
        }
    }

    /** @param remedy what to do if the state is not ok; otherwise empty */
    record Result(State state, String found, String needed, String remedy) {
        static Result ok(String found, String needed) {
            return new Result(State.OK, found, needed, "");
        }

        static Result wrong(String found, String needed, String remedy) {
            return new Result(State.WRONG, found, needed, remedy);
        }

        static Result unchecked(String cause, String remedy) {
            return new Result(State.UNCHECKED, "could not check: " + cause, "", remedy);
        }
    }
}
