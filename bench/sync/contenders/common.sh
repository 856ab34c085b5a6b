# Sourced by the contenders. Columns are named nowhere: source and target have the same, in the same order.
set -euo pipefail

source_sql() { psql -X -q -v ON_ERROR_STOP=1 -At "$SOURCE" "$@"; }
target_sql() { psql -X -q -v ON_ERROR_STOP=1 -At "$TARGET" "$@"; }

# copy TABLE CONDITION INTO [FORMAT]: rows of a source table straight into a table of the target
copy() {
    psql -X -q "$SOURCE" -c "COPY (SELECT * FROM $1 WHERE $2) TO STDOUT (FORMAT ${4:-text})" |
        psql -X -q -v ON_ERROR_STOP=1 "$TARGET" -c "COPY $3 FROM STDIN (FORMAT ${4:-text})"
}

# both COMMAND COMMAND: side by side; fails when one fails
both() {
    "$1" & local first=$!
    "$2" & local second=$!
    wait $first && wait $second
}

# the block of the drugs' table up to which one connection has as much to copy as the other with the rest and all other tables
middle() { source_sql -c "SELECT greatest(1, (relpages * 0.68)::int) FROM pg_class WHERE oid = 'master.drug'::regclass"; }

# copy_tables SCHEMA [FORMAT]: all $TABLES into the target's tables of the same names in the schema, two connections
copy_tables() {
    schema=$1 format=${2:-text} middle=$(middle)
    first() { copy master.drug "ctid < '($middle,0)'" "$schema.drug" "$format"; }
    second() {
        copy master.drug "ctid >= '($middle,0)'" "$schema.drug" "$format"
        for table in $TABLES; do [ "$table" = drug ] || copy "master.$table" true "$schema.$table" "$format"; done
    }
    both first second
}
