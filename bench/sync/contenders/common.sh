# shellcheck shell=bash
# Sourced by the contenders. They don't name columns, because source and target have the same ones in the same order.
set -euo pipefail

source_sql() { psql -X -q -v ON_ERROR_STOP=1 -At "$SOURCE" "$@"; }
target_sql() { psql -X -q -v ON_ERROR_STOP=1 -At "$TARGET" "$@"; }

# copy TABLE CONDITION INTO [FORMAT]: copies rows of a source table directly into a table of the target
copy() {
    psql -X -q "$SOURCE" -c "COPY (SELECT * FROM $1 WHERE $2) TO STDOUT (FORMAT ${4:-text})" |
        psql -X -q -v ON_ERROR_STOP=1 "$TARGET" -c "COPY $3 FROM STDIN (FORMAT ${4:-text})"
}

# both COMMAND COMMAND: runs both in parallel; fails if one fails
both() {
    "$1" & local first=$!
    "$2" & local second=$!
    wait $first && wait $second
}

# the block at which to split the table of drugs, so that two connections have equal work: one copies up to it, the other the rest and all other tables
middle() { source_sql -c "SELECT greatest(1, (relpages * 0.68)::int) FROM pg_class WHERE oid = 'master.drug'::regclass"; }

# copy_tables SCHEMA [FORMAT]: copies all $TABLES over two connections into the target's tables of the same names in the schema
copy_tables() {
    schema=$1 format=${2:-text} middle=$(middle)
    first() { copy master.drug "ctid < '($middle,0)'" "$schema.drug" "$format"; }
    second() {
        copy master.drug "ctid >= '($middle,0)'" "$schema.drug" "$format"
        for table in $TABLES; do [ "$table" = drug ] || copy "master.$table" true "$schema.$table" "$format"; done
    }
    both first second
}

# driver ARGUMENT…: runs the engine
# shellcheck disable=SC2086 # JVM contains several options
driver() { "$JAVA" $JVM ${BENCH_PROFILE:+$BENCH_PROFILE} -cp "$DRIVER" lockstep.bench.SyncDriver "$@"; }
