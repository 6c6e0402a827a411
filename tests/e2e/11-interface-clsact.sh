#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The same at TC clsact, as on kernels before TCX.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
. "$here/policy.sh"
. "$here/matrix.sh"

e2e_begin clsact
kind=interface-clsact host=agent party=agent party4=10.0.5.5 party6=fd00:5::5 refusal=timeout
options=--no-tcx
attach='{interfaces: [ens5]}'
matrix_run
