#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The doctor on hosts that lack something: privilege, a bpffs, a cgroup2 hierarchy. It names the missing
# feature and the remedy, never calls a feature lacking that it could not try, and leaves nothing behind.
# lesson: "it does not load here" is the commonest complaint about programs of this kind, without the
# name of the missing feature.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

# Runs the command; $said is its document, $code its exit code. COMMAND...
examine()
{
	said=$("$@" 2>"$work/err")
	code=$?
}
ask() { jq -r "$1" <<<"$said" 2>&1; } # FILTER
feature() { ask ".features[] | select(.name == \"$1\") | .$2"; } # NAME FIELD
bypass() { ask ".bypasses[] | select(.name == \"$1\") | .$2"; } # NAME FIELD
pins=(--pin-root) # and the lab's
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
two_caps=(setpriv --bounding-set '-all,+bpf,+net_admin' --inh-caps '-all,+bpf,+net_admin')
three_caps=(setpriv --bounding-set '-all,+bpf,+net_admin,+perfmon' --inh-caps '-all,+bpf,+net_admin,+perfmon')

# Cgroups of trials that began after this script and whose doctor has ended: another doctor may be at work.
trials_left()
{
	local dir
	find "$cgroup2" -maxdepth 1 -name 'flowreeve-doctor-*' -newer "$work/begun" | while read -r dir; do
		[ -d "/proc/${dir##*-}" ] || echo "$dir"
	done
}

# A process in a chroot gets no user namespace: this one's root is laid over that of a mount namespace of its
# own. busybox needs no library of its temporary root. COMMAND...
in_user_namespace()
{
	unshare --mount --propagation private sh -c 'exec 9</ && exec nsenter --mount=/proc/self/ns/mnt -- \
		/proc/self/fd/9/bin/busybox sh -c "$@"' sh \
		'cd /proc/self/fd/9/ && mount -o rbind . / && exec 9<&- && exec chroot /.. "$@"' sh unshare -Ur "$@"
}

e2e_begin doctor
doctor=(timeout -s KILL 60 "$FLOWREEVE" doctor --json)
: >"$work/begun"
pins+=("$LAB_DIR/bpf/flowreeve")

# ---------------------------------------------------------------- root, with all it wants
lab_enter agent ip link add mv0 link ens5 type macvlan 2>/dev/null || mv0=none
examine lab_enter agent "${doctor[@]}" "${pins[@]}"
equal 'root: interfaces and guests' 'yes yes' "$(ask '"\(.can_enforce.interfaces) \(.can_enforce.guests)"')"
equal 'root: the exit code is the sum' "$([ "$(ask .can_enforce.cgroups)" = yes ] && echo 0 || echo 6)" "$code"
equal 'root: the kernel' "$(uname -r) $(uname -m)" "$(ask '"\(.kernel) \(.machine)"')"
equal 'root: every program has its count of verified instructions' '[]' \
	"$(ask '[.programs[] | select(.answer == "yes" and (.verified // 0) < 10) | .name] | tostring')"
equal 'root: CAP_NET_RAW is seen' yes "$(bypass packet-sockets seen)"
equal 'root: this namespace does not forward' no "$(bypass forwarding seen)"
if [ "${mv0:-}" = none ]; then
	skip 'a macvlan device is seen' 'this kernel has no macvlan'
else
	equal 'a macvlan device is seen' 'yes mv0 on ens5' "$(bypass macvlan seen) $(bypass macvlan found)"
fi
tcx=$(ask .tcx)
cgroup2=$(feature cgroup2 found | sed -n 's/.* at //p')
equal 'nothing is left on a device' '' "$(lab_enter agent bpftool net show 2>&1 | grep -E 'tcx|clsact')"
equal 'nothing is left in bpffs' '' "$(pins_left)"
if [ -n "$cgroup2" ]; then
	equal 'nothing is left among cgroups' '' "$(trials_left)"
	sh -c 'exec true' & # a number that nobody has
	gone=$!
	wait "$gone"
	mkdir "$cgroup2/flowreeve-doctor-$gone" "$cgroup2/flowreeve-doctor-$$"
	examine lab_enter agent "${doctor[@]}" "${pins[@]}"
	equal 'what a killed doctor left is removed' gone \
		"$([ -d "$cgroup2/flowreeve-doctor-$gone" ] && echo left || echo gone)"
	succeeds 'but not what a running one needs' rmdir "$cgroup2/flowreeve-doctor-$$"
	rmdir "$cgroup2/flowreeve-doctor-$gone" 2>/dev/null
fi

# ---------------------------------------------------------------- privilege
examine lab_enter router "${nobody[@]}" "${doctor[@]}"
equal 'forwarding is seen, without privilege' yes "$(bypass forwarding seen)"
equal 'nobody: exit 6' 6 "$code"
equal 'nobody: interfaces are not called lacking' unknown "$(ask .can_enforce.interfaces)"
equal 'nobody: the privilege is' no "$(feature privilege answer)"
matches 'nobody: the error says what to do' 'run it as root, or grant CAP_BPF' "$(cat "$work/err")"
equal 'nobody: features that only a trial shows are unknown' unknown "$(feature tcx-link answer)"
equal 'nobody: what can be told is' yes "$(feature kernel-btf answer)"
equal 'nobody: processes of others are not guessed' unknown "$(bypass bpf-users seen)"
examine lab_enter agent "${two_caps[@]}" "${doctor[@]}" "${pins[@]}"
equal 'without CAP_PERFMON: exit 6' 6 "$code"
matches 'without CAP_PERFMON: names it alone' 'lacks CAP_PERFMON$' "$(feature privilege found)"
equal 'without CAP_PERFMON: no program is called refused' unknown \
	"$(ask '[.programs[] | select(.name != "fr_clock") | .answer] | unique | join(" ")')"
examine lab_enter agent "${three_caps[@]}" "${doctor[@]}" "${pins[@]}"
equal 'exactly the three: interfaces and guests' 'yes yes' "$(ask '"\(.can_enforce.interfaces) \(.can_enforce.guests)"')"
equal 'exactly the three: no namespace can be made, TCX is reported all the same' \
	"$tcx" "$(ask .tcx)"
examine in_user_namespace "${doctor[@]}"
equal 'in a user namespace: exit 6' 6 "$code"
matches 'in a user namespace: says so' 'user namespace' "$(feature privilege found)"

# ---------------------------------------------------------------- mounts
# An empty file system hides what is below it.
examine unshare -m sh -c 'for dir in /sys/fs/bpf $0; do mount -t tmpfs none $dir || exit 99; done; exec "$@"' \
	"$cgroup2" "${doctor[@]}"
equal 'neither bpffs nor cgroup2: exit 6' 6 "$code"
equal 'neither bpffs nor cgroup2: both are reported' 'no no' "$(feature bpffs answer) $(feature cgroup2 answer)"
equal 'neither bpffs nor cgroup2: apply mounts the one, interfaces do without the other' 'yes no' \
	"$(ask '"\(.can_enforce.interfaces) \(.can_enforce.cgroups)"')"
examine lab_enter agent "${doctor[@]}" --pin-root "$work/not-bpffs"
equal 'a pin root outside of bpffs: exit 6' 6 "$code"
equal 'a pin root outside of bpffs: the sum' 'no no no' "$(ask '[.can_enforce[]] | join(" ")')"
matches 'a pin root outside of bpffs: the command that mounts it' 'mount -t bpf' "$(feature bpffs remedy)"
equal 'a pin root outside of bpffs: nothing was made there' '' "$(ls "$work/not-bpffs" 2>/dev/null)"
examine lab_enter agent "${doctor[@]}" "${pins[@]}" --cgroup "$work"
equal 'no cgroup2: exit 6' 6 "$code"
equal 'no cgroup2: interfaces, not cgroups' 'yes no' "$(ask '"\(.can_enforce.interfaces) \(.can_enforce.cgroups)"')"
matches 'no cgroup2: the command that mounts it' 'mount -t cgroup2' "$(feature cgroup2 remedy)"
equal 'no cgroup2: the kernel has the hooks' yes "$(feature cgroup-packets answer)"
matches 'no cgroup2: the error names it' 'cannot enforce on cgroups: cgroup2' "$(cat "$work/err")"
