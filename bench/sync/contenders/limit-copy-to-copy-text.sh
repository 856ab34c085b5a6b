#!/usr/bin/env bash
# Copies from the source into unlogged tables without indexes over two connections in text format, without compression, digests or verification.
. "$CONTENDERS/common.sh"
stage
