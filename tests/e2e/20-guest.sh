#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The hypervisor protects an appliance from outside, at its tap, directions swapped.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/matrix.sh"

e2e_begin guest
e2e_kind guest
matrix_run
