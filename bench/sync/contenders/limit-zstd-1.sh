#!/usr/bin/env bash
# Compresses the text of everything, one core. The text was written before: $WORK/text.
. "$CONTENDERS/common.sh"
zstd -1 --single-thread -q -c "$WORK/text" >/dev/null
