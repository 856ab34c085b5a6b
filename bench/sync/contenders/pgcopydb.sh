#!/usr/bin/env bash
# pgcopydb clone: COPY to COPY, two tables at once, then two indexes at once. It takes Lockstep's own small tables along: its filters leave
# out a table, but not the statement that gives it an identity column.
. "$CONTENDERS/common.sh"
# of its own session: when it fails it ends its whole process group
setsid --wait pgcopydb clone --source "$SOURCE" --target "$TARGET" --table-jobs 2 --index-jobs 2 --no-owner --no-acl --no-comments --skip-large-objects --skip-extensions \
    --not-consistent --dir "$WORK/pgcopydb" >"$WORK/log" 2>&1 || { cat "$WORK/log" >&2; exit 1; }
