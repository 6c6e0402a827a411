#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Foreign programs on the very hook, before ours and after, and cgroups with an exclusive program: the
# effect of each on our verdicts, the reports of status and apply, and that detach leaves them.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
. "$here/policy.sh"

foreign() { lab_enter agent "$here/tools/foreign-program" "$@" 2>&1; }
allowed() { peer_try agent udp 10.20.0.5 7; }
refused() { peer_try agent tcp 10.66.0.66 4444; }

# The report of status on the hook of that direction: KIND/egress
others() { fr_ask agent ".policies[].hooks[] | select(.hook == \"$1\") | .neighbours | join(\", \")" status; }

# lesson: two products on one hook cut each other's traffic, and neither showed which was first.
order_on_device()
{
	succeeds 'apply' fr agent apply "$work/one.yaml"
	equal 'alone: no neighbour is reported' '' "$(others tcx/egress)"

	id=$(foreign tcx ens5 egress before -1 "$pin")
	equal 'one before that passes on: status names it' "before: program foreign (id $id)" "$(others tcx/egress)"
	tries 'one before that passes on: ours refuses' timeout refused
	tries 'one before that passes on: ours allows' ok allowed
	rm -f "$pin"

	id=$(foreign tcx ens5 egress before 0 "$pin")
	back=$(foreign tcx ens5 ingress before 0 "$pin-back")
	tries 'one before that ends the hook: packets never come to ours' ok refused
	equal 'one before that ends the hook: status names it' "before: program foreign (id $id)" "$(others tcx/egress)"
	matches 'one before that ends the hook: doctor names it' "tcx/egress of policy e2e: program foreign \\(id $id\\)" \
		"$(fr agent doctor 2>&1)"
	matches 'one before that ends the hook: on the way in as well' "tcx/ingress of policy e2e: program foreign \\(id $back\\)" \
		"$(fr agent doctor 2>&1)"
	rm -f "$pin" "$pin-back"

	id=$(foreign tcx ens5 egress after 2 "$pin")
	tries 'one after that drops: drops what ours allows' timeout allowed
	equal 'one after that drops: status names it' "after: program foreign (id $id)" "$(others tcx/egress)"
	rm -f "$pin"

	id=$(foreign tcx ens5 egress after 0 "$pin")
	tries 'one after that passes: ours refuses all the same' timeout refused
	tries 'one after that passes: ours allows' ok allowed
	succeeds 'detach' fr agent detach
	matches 'detach leaves the program of the other' foreign "$(bpftool prog show id "$id" 2>&1)"
	succeeds 'and its link' test -e "$pin"

	# A program that was there first comes after ours: new links go to the front.
	succeeds 'one that was there first: apply' fr agent apply "$work/one.yaml"
	equal 'one that was there first: is after ours' "after: program foreign (id $id)" "$(others tcx/egress)"
	tries 'one that was there first: ours refuses' timeout refused
	succeeds 'detach again' fr agent detach

	# Filters of clsact come after all of TCX.
	succeeds 'without TCX: apply' fr agent apply "$work/one.yaml" --no-tcx
	LAB_WAIT=0.4 refused >/dev/null
	matches 'without TCX: doctor names the programs before' "clsact/egress of policy e2e: program foreign \\(id $id\\)" \
		"$(fr agent doctor 2>&1)"
	equal 'without TCX: which hides the packets' 0 "$(drops_of agent drop egress 10.66.0.66 4444)"
	rm -f "$pin"
	tries 'without TCX, alone: refuses' timeout refused
	at_least 'without TCX, alone: and sees what it refuses' 1 "$(drops_of agent drop egress 10.66.0.66 4444)"
	succeeds 'without TCX: detach' fr agent detach
}

e2e_begin others-order
peer_start nfs echo --udp 7
peer_start intruder stranger 4444
policy_write "$work/one.yaml" enforce '{interfaces: [ens5]}'
pin=$LAB_DIR/bpf/foreign

if foreign tcx ens5 egress before -1 "$pin" >/dev/null; then
	rm -f "$pin"
	order_on_device
else
	skip 'the order on a device' 'this kernel has no TCX'
fi

# lesson: IPAddressDeny= of a unit kept every other program out, and the error was a bare "not permitted".
e2e_cgroup agent agent
slice=$LAB_CGROUP unit=$LAB_CGROUP/unit
mkdir -p "$unit"
policy_write "$work/slice.yaml" enforce "{cgroups: [/$LAB_TAG-agent]}"
policy_write "$work/unit.yaml" enforce "{cgroups: [/$LAB_TAG-agent/unit]}"

id=$(foreign cgroup "$slice" egress 1)
fr_exits 'the same cgroup is held: exit 3' 3 agent apply "$work/slice.yaml"
matches 'the same cgroup is held: by whom, and where' "program foreign \\(id $id\\) is the exclusive program .*$LAB_TAG-agent" "$said"
matches 'the same cgroup is held: what to do' 'IPAddressDeny=' "$said"
fr_exits 'the slice is held: exit 3' 3 agent apply "$work/unit.yaml"
matches 'the slice is held: by whom, and where' "program foreign \\(id $id\\) is the exclusive program .*$LAB_TAG-agent" "$said"
equal 'nothing is left of the attempts' '' "$(pins_left)"
foreign cgroup-off "$slice" egress

id=$(foreign cgroup "$slice" egress 1 override)
said=$(fr agent apply "$work/slice.yaml" 2>&1)
equal 'the same cgroup is held, to be overridden below: exit 3' 3 $?
matches 'the same cgroup is held, to be overridden below: by whom' \
	"program foreign \\(id $id\\) is the exclusive program .*$LAB_TAG-agent" "$said"
succeeds 'the slice may be overridden: the unit can be attached' fr agent apply "$work/unit.yaml"
LAB_CGROUP=$unit tries 'the slice may be overridden: ours refuses in the unit' denied refused
succeeds 'the slice may be overridden: detach' fr agent detach
matches 'the slice may be overridden: its program stays' foreign "$(bpftool cgroup show "$slice" 2>&1)"
foreign cgroup-off "$slice" egress

id=$(foreign cgroup "$unit" egress 1)
succeeds 'a child is held: the slice can be attached' fr agent apply "$work/slice.yaml"
equal 'a child is held: enforcing' true "$(fr_ask agent '.policies[0].enforcing' status)"
LAB_CGROUP=$unit tries 'a child is held: ours refuses in it as well' denied refused
succeeds 'a child is held: detach' fr agent detach
matches 'a child is held: its program stays' foreign "$(bpftool cgroup show "$unit" 2>&1)"
foreign cgroup-off "$unit" egress
rmdir "$unit"
