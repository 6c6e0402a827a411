#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The agent protects itself at its interface.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/matrix.sh"

e2e_begin interface
e2e_kind interface
matrix_run
