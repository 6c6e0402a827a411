#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The same at TC clsact, as on kernels before TCX.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/matrix.sh"

e2e_begin clsact
e2e_kind clsact
matrix_run
