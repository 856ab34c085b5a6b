#!/usr/bin/env bash
# Computes the digest of the drugs in the database with two parallel workers.
. "$CONTENDERS/common.sh"
source_sql -c "SET max_parallel_workers_per_gather = 2" -c "SELECT count(*), sum(hashtextextended(t::text, 0)::numeric) FROM master.drug t"
