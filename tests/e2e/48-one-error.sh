#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# One system call of a command fails, each in turn, or no more files can be opened: the running policy, old
# or new, stays in force and whole, a failure says why, and the next command heals what was left.
# SOAK=1, of `make soak`: every call with every error, and clsact as well.
#
# lesson: what could not be read counted as "nothing in force" and was swept away: a failed apply left the
# host open, once with exit 0.
. "$(dirname "$0")/lib.sh"

# Two devices of a network namespace of its own, a bpffs of its own, and the tool in them. SCENARIO...
injected()
{
	local dir
	dir=$(mktemp -d "$work/XXXXXX")
	mkdir "$dir/bpf"
	unshare --net --mount bash -c '
		mount -t bpf -o mode=0700 bpf "$0/bpf" && ip link set lo up || exit 1
		for i in 0 1; do
			ip link add d$i type veth peer name e$i && ip addr add 10.9.$i.1/24 dev d$i &&
				ip link set d$i up && ip link set e$i up &&
				ip neigh add 10.9.$i.2 lladdr 02:00:00:00:00:01 dev d$i nud permanent || exit 1
		done
		exec "$@"' "$dir" "$e2e_here/tools/one-error" "$e2e_built" "$dir" "$@" >"$dir/said" 2>&1 ||
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
	(injected hooks first table --every; injected hooks table --every --no-tcx) >"$work/first" &
	(injected replace detach zero status query few-files --every; injected first replace detach --every --no-tcx) >"$work/second"
else
	injected hooks detach table few-files >"$work/first" &
	injected first replace zero status query >"$work/second"
fi
wait
cat "$work/first" "$work/second"
! grep -q '^not ok' "$work/first" "$work/second"
