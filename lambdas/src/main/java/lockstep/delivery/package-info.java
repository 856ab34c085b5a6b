/** Tells people what happens in an account. */
package lockstep.delivery;
