/** Looks after the shards of an account: what each really holds, how that stands to the manifests, and what mends it. */
package lockstep.masterdata.watch;
