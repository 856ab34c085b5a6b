#!/usr/bin/env bash
# pgcopydb clone: COPY to COPY, two tables at once, then two indexes at once.
. "$CONTENDERS/common.sh"
pgcopydb clone --source "$SOURCE" --target "$TARGET" --table-jobs 2 --index-jobs 2 --no-owner --no-acl --no-comments --skip-large-objects --skip-extensions \
    --not-consistent --filters "$CONTENDERS/pgcopydb.ini" --dir "$WORK/pgcopydb" >"$WORK/log" 2>&1 || { cat "$WORK/log" >&2; exit 1; }
