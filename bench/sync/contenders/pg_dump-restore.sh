#!/usr/bin/env bash
# pg_dump to a directory without compression, then pg_restore, with two jobs each and no verification.
. "$CONTENDERS/common.sh"
pg_dump -d "$SOURCE" -n master -Fd -Z0 -j2 -f "$WORK/dump"
pg_restore -d "$TARGET" --no-owner --no-privileges -j2 "$WORK/dump"
