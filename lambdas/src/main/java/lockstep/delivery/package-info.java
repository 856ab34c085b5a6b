/** Delivers an account's operational messages to a chat. */
package lockstep.delivery;
