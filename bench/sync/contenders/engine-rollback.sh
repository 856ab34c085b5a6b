#!/usr/bin/env bash
# Lockstep rolls back to $SYNC, an earlier sync than the one in force.
. "$CONTENDERS/common.sh"
driver rollback "$SYNC" >"$WORK/restore.json"
