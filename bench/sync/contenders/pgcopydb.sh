#!/usr/bin/env bash
# pgcopydb clone: COPY to COPY of two tables at once, then two indexes at once. It also copies Lockstep's small tables, because its filters
# exclude a table, but not the statement that adds its identity column.
. "$CONTENDERS/common.sh"
# in its own session, because it kills its whole process group when it fails
setsid --wait pgcopydb clone --source "$SOURCE" --target "$TARGET" --table-jobs 2 --index-jobs 2 --no-owner --no-acl --no-comments --skip-large-objects --skip-extensions \
    --not-consistent --dir "$WORK/pgcopydb" >"$WORK/log" 2>&1 || { cat "$WORK/log" >&2; exit 1; }
