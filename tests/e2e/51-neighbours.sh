#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Coexistence: foreign programs on the same hooks stay, run after us, are named by status, and survive
# our detach; hosts with two policies; forwarded traffic of a router is not the host's own.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
. "$here/policy.sh"

e2e_begin neighbours
peer_start nfs echo --udp 7
peer_start intruder stranger 4444
peer_start vpc web 10.0.5.20 443
policy_write "$work/one.yaml" enforce '{interfaces: [ens5]}'

# A foreign clsact filter, as another tool would have put there.
lab_enter agent tc qdisc add dev ens5 clsact
lab_enter agent tc filter add dev ens5 egress prio 7 bpf bytecode '1,6 0 0 0,' 2>/dev/null

for options in '' --no-tcx; do
	name="with clsact of another tool${options:+, $options}"
	succeeds "$name: apply" fr agent apply "$work/one.yaml" $options
	tries "$name: refuses" timeout peer_try agent tcp 10.66.0.66 4444
	tries "$name: allows" ok peer_try agent tcp 10.0.5.20 443
	succeeds "$name: detach" fr agent detach
	matches "$name: the qdisc of the other tool stays" clsact "$(lab_enter agent tc qdisc show dev ens5)"
	matches "$name: its filter stays" 'pref 7' "$(lab_enter agent tc filter show dev ens5 egress)"
	equal "$name: ours is gone" '' "$(lab_enter agent tc filter show dev ens5 egress | grep fr_)"
done
lab_enter agent tc qdisc del dev ens5 clsact

# Two policies on one host: an appliance's and the hypervisor's own.
policy_write "$work/guest.yaml" enforce '{guests: [tap0]}'
sed 's/metadata: .*/metadata: {name: own}/; s/attach: .*/attach: {interfaces: [br0]}/' "$work/one.yaml" |
	sed '/id: echo/d' >"$work/own.yaml"
succeeds 'two policies: the guest'"'"'s' fr hypervisor apply "$work/guest.yaml"
succeeds 'two policies: the hypervisor'"'"'s own' fr hypervisor apply "$work/own.yaml"
equal 'two policies: both are reported' 'e2e own' "$(fr_ask hypervisor '[.policies[].policy] | sort | join(" ")' status)"
tries 'two policies: the guest may' "ok" peer_try appliance udp 10.20.0.5 7
tries 'two policies: the hypervisor itself may not' timeout peer_try hypervisor udp 10.20.0.5 7
succeeds 'two policies: detach one' fr hypervisor detach own
equal 'two policies: the other is in force' 'e2e true' \
	"$(fr_ask hypervisor '.policies[] | "\(.policy) \(.enforcing)"' status)"
tries 'two policies: the hypervisor is free' ok peer_try hypervisor udp 10.20.0.5 7
tries 'two policies: the guest is not' timeout peer_try appliance tcp 10.66.0.66 4444
# The namespace of the interface does not matter to detach.
succeeds 'detach works from another namespace' fr agent detach
equal 'and nothing is left there' '' "$(lab_enter hypervisor bpftool net show 2>&1 | grep fr_)"

# A router with a policy on its own interface: forwarded traffic passes, its own traffic is judged.
policy_write "$work/router.yaml" enforce '{interfaces: [lan]}'
succeeds 'router: apply' fr router apply "$work/router.yaml"
tries 'router: forwarded traffic passes' ok peer_try agent tcp 10.66.0.66 4444
tries 'router: its own is refused' timeout peer_try router tcp 10.66.0.66 4444
at_least 'router: forwarded packets are counted' 4 \
	"$(fr_ask router '[.policies[].verdicts[] | select(.reason == "forwarded") | .packets] | add // 0' status)"
succeeds 'router: detach' fr router detach
