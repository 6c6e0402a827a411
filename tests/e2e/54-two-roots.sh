#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Two installations of flowreeve on one host, each with a pin root of its own: on other attach points they
# work side by side, the same one belongs to the first. And that foreign objects are the same as before,
# attached or detached, whatever the kind of the attach point.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

other() # NODE VERB...: the second installation
{
	local node=$1
	shift
	lab_enter "$node" timeout -s KILL 30 "$FLOWREEVE" "$@" --pin-root "$LAB_DIR/bpf/other"
}
refused() { peer_try agent tcp 10.66.0.66 4444; }

e2e_begin two-roots
peer_start nfs echo --udp 7
peer_start intruder stranger 4444
policy_write "$work/one.yaml" enforce '{interfaces: [ens5]}'
e2e_cgroup agent agent
policy_write "$work/service.yaml" enforce "{cgroups: [/$LAB_TAG-agent]}"
policy_write "$work/guest.yaml" enforce '{guests: [tap0]}'

# lesson: two agents that each took the hook for their own deleted each other's filters.
for options in '' --no-tcx; do
	name="the same interface${options:+, $options}"
	succeeds "$name: the first takes it" fr agent apply "$work/one.yaml" $options
	said=$(other agent apply "$work/one.yaml" $options 2>&1)
	equal "$name: the second is refused, exit 3" 3 $?
	matches "$name: and reports its owner" 'interface ens5 belongs to a policy that is not pinned below .*/other' "$said"
	equal "$name: the second leaves nothing" '' "$(find "$LAB_DIR/bpf/other" -mindepth 1 2>/dev/null | head -3)"
	equal "$name: the first enforces" true "$(fr_ask agent '.policies[0].enforcing' status)"
	tries "$name: and refuses" timeout refused
	other agent detach >/dev/null 2>&1
	equal "$name: detach of the second is none of the first" true "$(fr_ask agent '.policies[0].enforcing' status)"
	succeeds "$name: the first detaches" fr agent detach
	succeeds "$name: then the second may" other agent apply "$work/one.yaml" $options
	tries "$name: and refuses as well" timeout refused
	succeeds "$name: detach" other agent detach
done

succeeds 'the same cgroup: the first takes it' fr agent apply "$work/service.yaml"
said=$(other agent apply "$work/service.yaml" 2>&1)
equal 'the same cgroup: the second is refused, exit 3' 3 $?
matches 'the same cgroup: and reports its owner' "cgroup .*$LAB_TAG-agent belongs to a policy that is not pinned below" "$said"

# An interface by one and a cgroup by the other: both decide, a refusal of either is a refusal.
succeeds 'side by side: the interface by the second' other agent apply "$work/one.yaml"
tries 'side by side: the cgroup refuses' denied refused
tries 'side by side: both allow' ok peer_try agent udp 10.20.0.5 7
equal 'side by side: the first tells of its own alone' cgroup \
	"$(fr_ask agent '[.policies[].hooks[].kind] | unique | join(" ")' status)"
succeeds 'side by side: the cgroup is given back' fr agent detach
LAB_CGROUP='' tries 'side by side: the interface still refuses' timeout refused
succeeds 'side by side: the interface is given back' other agent detach

# Foreign objects, read from the kernel. Programs and maps of the whole machine come and go with other
# tests: of those only the ones with a name of ours are compared.
others_there() # NODE DEVICE
{
	lab_enter "$1" "$here/tools/foreign-program" list "$2" ingress
	lab_enter "$1" "$here/tools/foreign-program" list "$2" egress
	lab_enter "$1" tc qdisc show dev "$2"
	lab_enter "$1" tc filter show dev "$2" ingress
	lab_enter "$1" tc filter show dev "$2" egress
	bpftool cgroup show "$slice"
	find "$LAB_DIR/bpf" -mindepth 1 ! -path "$LAB_DIR/bpf/flowreeve*" ! -path "$LAB_DIR/bpf/other*" | sort
}
slice=$LAB_CGROUP LAB_CGROUP=''
for place in 'agent ens5 one' 'agent ens5 one --no-tcx' 'hypervisor tap0 guest' 'hypervisor tap0 guest --no-tcx' 'agent ens5 service'; do
	read -r node device policy options <<<"$place"
	name="$policy${options:+ $options}"
	lab_enter "$node" tc qdisc replace dev "$device" clsact
	lab_enter "$node" tc filter add dev "$device" egress prio 7 protocol all u32 match u32 0 0 flowid 1:1
	lab_enter "$node" "$here/tools/foreign-program" filter -1 "$LAB_DIR/bpf/theirs" >/dev/null
	lab_enter "$node" tc filter add dev "$device" ingress prio 3 protocol all bpf da object-pinned "$LAB_DIR/bpf/theirs"
	lab_enter "$node" "$here/tools/foreign-program" tcx "$device" egress after -1 "$LAB_DIR/bpf/their-link" >/dev/null 2>&1
	before=$(others_there "$node" "$device")
	succeeds "$name: apply among others" fr "$node" apply "$work/$policy.yaml" $options
	if [ "$before" != "$(others_there "$node" "$device")" ]; then ok "$name: ours is to be seen"; else
		not_ok "$name: ours is to be seen"
	fi
	succeeds "$name: applied again" fr "$node" apply "$work/$policy.yaml" $options
	succeeds "$name: detach" fr "$node" detach
	after=$(others_there "$node" "$device")
	equal "$name: all of theirs is as it was" "$before" "$after"
	equal "$name: nothing of ours is pinned" '' "$(pins_left)"
	rm -f "$LAB_DIR/bpf/theirs" "$LAB_DIR/bpf/their-link"
	lab_enter "$node" tc qdisc del dev "$device" clsact
done
