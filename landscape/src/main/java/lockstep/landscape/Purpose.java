package lockstep.landscape;

/** The purpose of an account. It determines the protection of its data: only production keeps data when a stack is deleted. */
public enum Purpose {
    PRODUCTION, DEMO, QA
}
