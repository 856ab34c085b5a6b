#!/usr/bin/env bash
# Lockstep in a JVM that has run other syncs before, like warm functions.
. "$CONTENDERS/common.sh"
touch "$WORK/go"
until [ -e "$WORK/done" ]; do kill -0 "$(cat "$WORK/driver")" 2>/dev/null || [ -e "$WORK/done" ] || { cat "$WORK/driver.log" >&2; exit 1; }; sleep 0.01; done
