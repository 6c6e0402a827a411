#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The agent protects itself at its interface.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
. "$here/policy.sh"
. "$here/matrix.sh"

e2e_begin interface
kind=interface host=agent party=agent party4=10.0.5.5 party6=fd00:5::5 refusal=timeout options=
attach='{interfaces: [ens5]}'
matrix_run
