#!/usr/bin/env bash
# Lockstep goes back to $SYNC, a sync before the one in force.
. "$CONTENDERS/common.sh"
"$JAVA" $JVM ${BENCH_PROFILE:+$BENCH_PROFILE} -cp "$DRIVER" lockstep.bench.SyncDriver rollback "$SYNC" >"$WORK/restore.json"
