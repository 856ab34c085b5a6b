#!/usr/bin/env bash
# Lockstep rolls back to $SYNC, an earlier sync than the one in force.
. "$CONTENDERS/common.sh"
"$JAVA" $JVM ${BENCH_PROFILE:+$BENCH_PROFILE} -cp "$DRIVER" lockstep.bench.SyncDriver rollback "$SYNC" >"$WORK/restore.json"
