#!/usr/bin/env bash
# Lockstep: dump in one JVM, restore in another, each as the deployed functions start (infra's Handler.Size.WORKER), with their streams.
# $SYNC is new; $BENCH_STORE holds what the sync before it left there.
. "$CONTENDERS/common.sh"
driver() { "$JAVA" $JVM ${BENCH_PROFILE:+$BENCH_PROFILE} -cp "$DRIVER" lockstep.bench.SyncDriver "$@"; }
driver dump "$SYNC" >"$WORK/dump.json"
driver restore "$SYNC" >"$WORK/restore.json"
