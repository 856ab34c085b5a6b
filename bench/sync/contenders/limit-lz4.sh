#!/usr/bin/env bash
# Compresses the text of all tables, in $WORK/text, on one core.
. "$CONTENDERS/common.sh"
lz4 -1 -q -c "$WORK/text" >/dev/null
