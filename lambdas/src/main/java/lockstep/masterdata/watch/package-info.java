/**
 * Monitors the shards of an account, compares them with the manifests, and starts restores that repair them; also starts syncs
 * automatically.
 */
package lockstep.masterdata.watch;
