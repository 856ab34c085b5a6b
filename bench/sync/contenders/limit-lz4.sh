#!/usr/bin/env bash
# Compresses the text of everything, one core. The text was written before: $WORK/text.
. "$CONTENDERS/common.sh"
lz4 -1 -q -c "$WORK/text" >/dev/null
