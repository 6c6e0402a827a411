#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# One system call of a command fails, each in turn, or no more files can be opened: the running policy, old
# or new, stays in force and whole, a failure gives the reason, and the next command repairs the rest. Commands are
# also killed before a call. Each datagram that is sent meanwhile gets the verdict of one of the two policies.
# SOAK=1, of `make soak`: every call fails with every error, commands are killed at every call; clsact as well.
#
# lesson: an unreadable pin counted as "nothing in force" and was removed: a failed apply left the host
# open, once with exit 0.
. "$(dirname "$0")/lib.sh"

# Two devices, a bpffs, and the tool beside them. SCENARIO...
injected()
{
	local dir
	dir=$(mktemp -d "$work/XXXXXX")
	beside_two_devices "$dir" "$e2e_here/tools/one-error" "$e2e_built" "$dir" "$@" >"$dir/said" 2>&1 ||
		echo "not ok - $*: ended with status $?" >>"$dir/said"
	cat "$dir/said"
}

if [ "$(id -u)" != 0 ]; then
	skip one-error 'needs root'
	exit 0
fi
work=$(mktemp -d /tmp/fr-one-error.XXXXXX)
trap 'rm -rf "$work"' EXIT
if [ "${SOAK:-}" ]; then
	(
		injected confirm cancel extend detach first replace trial --every --kill
		injected hooks first table confirm cancel extend preview --every
		injected hooks table --every --no-tcx
	) >"$work/first" &
	(injected replace detach zero status query few-files --every; injected first replace detach trial --every --no-tcx) >"$work/second"
else
	(
		injected hooks detach table carry few-files confirm
		injected confirm cancel detach --kill
	) >"$work/first" &
	(
		injected first replace zero status query trial cancel extend preview
		injected trial --kill
	) >"$work/second"
fi
wait
cat "$work/first" "$work/second"
! grep -q '^not ok' "$work/first" "$work/second"
