# shellcheck shell=bash
# Sourced by the contenders. They don't name columns, because source and target have the same ones in the same order.
set -euo pipefail

source_sql() { psql -X -q -v ON_ERROR_STOP=1 -At "$SOURCE" "$@"; }
target_sql() { psql -X -q -v ON_ERROR_STOP=1 -At "$TARGET" "$@"; }

# copy TABLE CONDITION INTO: copies rows of a source table directly into a table of the target
copy() {
    psql -X -q "$SOURCE" -c "COPY (SELECT * FROM $1 WHERE $2) TO STDOUT" | psql -X -q -v ON_ERROR_STOP=1 "$TARGET" -c "COPY $3 FROM STDIN"
}

# both COMMAND COMMAND: runs both in parallel; fails if one fails
both() {
    "$1" & local first=$!
    "$2" & local second=$!
    wait $first && wait $second
}

# the block at which to split the table of drugs, so that two connections have equal work: one copies up to it, the other the rest and all other tables
middle() { source_sql -c "SELECT greatest(1, (relpages * 0.68)::int) FROM pg_class WHERE oid = 'master.drug'::regclass"; }

# by_halves COMMAND: runs COMMAND TABLE CONDITION for all rows of $TABLES, over two connections
by_halves() {
    each=$1 middle=$(middle)
    first() { "$each" drug "ctid < '($middle,0)'"; }
    second() {
        "$each" drug "ctid >= '($middle,0)'"
        for table in $TABLES; do [ "$table" = drug ] || "$each" "$table" true; done
    }
    both first second
}

# copy_tables SCHEMA: copies all $TABLES into the target's tables of the same names in the schema
copy_tables() {
    schema=$1
    copy_one() { copy "master.$1" "$2" "$schema.$1"; }
    by_halves copy_one
}

# stage: copies all $TABLES into unlogged tables of the target without indexes
stage() {
    target_sql -c "CREATE SCHEMA staging"
    for table in $TABLES; do target_sql -c "CREATE UNLOGGED TABLE staging.$table (LIKE master.$table)"; done
    copy_tables staging
}

# driver ARGUMENT…: runs the engine
# shellcheck disable=SC2086 # JVM contains several options
driver() { "$JAVA" $JVM -cp "$DRIVER" lockstep.bench.SyncDriver "$@"; }
