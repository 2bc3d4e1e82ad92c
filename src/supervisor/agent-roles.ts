/** The argument that gives the program of the agent's user its role. */

/** One task in the agent's home. */
export const HOME_ROLE = "agent-home";

/** Looks at the agent's state for the backups. */
export const READER_ROLE = "state-reader";
