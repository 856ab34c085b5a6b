#!/usr/bin/env bash
# Compresses the text of all tables, in $WORK/text, on one core.
. "$CONTENDERS/common.sh"
zstd -1 --single-thread -q -c "$WORK/text" >/dev/null
