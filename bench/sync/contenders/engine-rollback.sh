#!/usr/bin/env bash
# Lockstep goes back to $SYNC, a sync before the one in force.
. "$CONTENDERS/common.sh"
"$JAVA" -XX:+UseSerialGC -Xmx256m -XX:MaxDirectMemorySize=64m -XX:TieredStopAtLevel=4 ${BENCH_PROFILE:+$BENCH_PROFILE} -cp "$DRIVER" lockstep.bench.SyncDriver rollback "$SYNC" >"$WORK/restore.json"
