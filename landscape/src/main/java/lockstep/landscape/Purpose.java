package lockstep.landscape;

/** What an account is for. It decides protection: only production keeps its data when a stack is deleted. */
public enum Purpose { PRODUCTION, DEMO, QA }
