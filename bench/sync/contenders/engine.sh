#!/usr/bin/env bash
# Lockstep: dump in one JVM and restore in another, with the options (infra's Handler.Size.WORKER) and parallelism of the deployed functions.
# $SYNC is new; $BENCH_STORE contains the objects of the previous sync.
. "$CONTENDERS/common.sh"
driver dump "$SYNC" >"$WORK/dump.json"
driver restore "$SYNC" >"$WORK/restore.json"
