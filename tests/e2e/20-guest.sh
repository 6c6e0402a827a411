#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The hypervisor protects an appliance from outside, at its tap, directions swapped.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
. "$here/policy.sh"
. "$here/matrix.sh"

e2e_begin guest
kind=guest host=hypervisor party=appliance party4=10.0.5.6 party6=fd00:5::6 refusal=timeout options=
attach='{guests: [tap0]}'
matrix_run
