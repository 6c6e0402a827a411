#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Devices and cgroups that change under a policy: those that come later and match a pattern, names that move
# to another device, alternative names, ports of bridges, and programs that pass by a guest. What status says,
# its exit code in audit and enforce, and what apply makes of it, with TCX and without.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

# A second device of the agent, on a wire of its own: 10.99.0.1 is the agent, 10.99.0.2 the router.
second() # NAME
{
	ip -n "$LAB_TAG-router" link add p-second type veth peer name "$1" netns "$LAB_TAG-agent"
	ip -n "$LAB_TAG-router" addr add 10.99.0.2/24 dev p-second
	ip -n "$LAB_TAG-router" link set p-second up
	lab_enter agent ip addr add 10.99.0.1/24 dev "$1"
	lab_enter agent ip link set "$1" up
}
second_gone() { ip -n "$LAB_TAG-router" link del p-second; }
exchange() # DEVICE OTHER: their names, as udev does
{
	lab_enter agent sh -ec "ip link set $1 down; ip link set $2 down; ip link set $1 name between
		ip link set $2 name $1; ip link set between name $2; ip link set $1 up; ip link set $2 up"
}
reaches_second() { lab_enter agent ping -c1 -W1 10.99.0.2 >/dev/null 2>&1 && echo open || echo judged; }
not_judged() { fr_ask agent '.policies[0].not_judged | map("\(.kind) \(.name) \(.request)") | join(", ")' status; }
writes() { policy_write "$work/p.yaml" "$1" "$2"; } # MODE ATTACH

e2e_begin devices
for options in '' --no-tcx; do
	with="${options:-TCX}"

	# A pattern, and a device that comes after apply.
	second ens9
	lab_enter agent ip link set ens9 down
	second_gone
	writes enforce '{interfaces: ["ens*"]}'
	succeeds "$with: a pattern is applied" fr agent apply "$work/p.yaml" $options
	fr_exits "$with: it enforces" 0 agent status --query
	second ens9
	equal "$with: a device that comes later is open" open "$(reaches_second)"
	fr_exits "$with: status exits 5" 5 agent status
	matches "$with: and names it" 'FAULT +interface ens9: it matches ens\* and is not judged' "$said"
	matches "$with: on stderr too" 'ens9 of policy e2e: it matches ens\* and is not judged \[not-judged\]' "$said"
	fr_exits "$with: --query exits 5" 5 agent status --query
	equal "$with: --json names it" 'interface ens9 ens*' "$(not_judged)"
	equal "$with: --json counts it" 'false 1' "$(fr_ask agent '.policies[0] | "\(.enforcing) \(.faults)"' status)"
	succeeds "$with: apply takes it in" fr agent apply "$work/p.yaml" $options
	fr_exits "$with: and it enforces" 0 agent status --query
	equal "$with: the device is judged" judged "$(reaches_second)"
	second_gone
	fr agent detach >/dev/null

	# In audit it is told, and no failure.
	writes audit '{interfaces: ["ens*"]}'
	succeeds "$with: in audit" fr agent apply "$work/p.yaml" $options
	second ens9
	fr_exits "$with: in audit: status exits 0" 0 agent status
	matches "$with: in audit: and names it" 'OPEN +interface ens9: it matches ens\*' "$said"
	fr agent detach >/dev/null

	# Names that two devices exchange: the policy speaks of the name.
	writes enforce '{interfaces: [ens9]}'
	succeeds "$with: one device is judged" fr agent apply "$work/p.yaml" $options
	exchange ens5 ens9
	fr_exits "$with: names exchanged: status exits 5" 5 agent status
	matches "$with: the hook has the name of today" 'alive +interface ens5 \(ens9 when applied\)' "$said"
	matches "$with: the name is another device's" 'FAULT +interface ens9: ens9 is another device now' "$said"
	equal "$with: the device of before is judged still" judged "$(reaches_second)"
	succeeds "$with: apply follows the name" fr agent apply "$work/p.yaml" $options
	equal "$with: and lets the other go" open "$(reaches_second)"
	fr_exits "$with: status exits 0 again" 0 agent status --query
	exchange ens5 ens9
	fr agent apply "$work/p.yaml" $options >/dev/null 2>&1

	# A mere renaming is none.
	lab_enter agent sh -c 'ip link set ens9 down; ip link set ens9 name wan; ip link set wan up'
	fr_exits "$with: renamed: status exits 0" 0 agent status
	matches "$with: renamed: by its name of today" 'alive +interface wan \(ens9 when applied\)' "$said"
	equal "$with: renamed: judged" judged "$(reaches_second)"
	equal "$with: renamed: --json has both" 'wan ens9 ens9' \
		"$(fr_ask agent '.policies[0].hooks[0] | "\(.name) \(.name_at_apply) \(.request)"' status)"
	fr agent detach >/dev/null

	# By an alternative name.
	lab_enter agent ip link property add dev wan altname the-uplink-of-this-host
	writes enforce '{interfaces: [the-uplink-of-this-host]}'
	succeeds "$with: an alternative name" fr agent apply "$work/p.yaml" $options
	equal "$with: is judged" judged "$(reaches_second)"
	matches "$with: and shown by its own" 'alive +interface wan ' "$(fr agent status)"
	fr agent detach >/dev/null
	second_gone
done

# One pattern of several fits nothing: what ships must apply on a host with one kind of name.
writes audit '{interfaces: ["en*", "eth*"]}'
fr_exits 'a pattern without a match beside one with' 0 agent apply "$work/p.yaml"
matches 'is a warning with its place' 'p.yaml:5:[0-9]+: warning: no interface matches eth\*' "$said"
fr agent detach >/dev/null
lab_enter agent sh -c 'ip link set ens5 down; ip link set ens5 name eth0'
fr_exits 'the shipped mgn-source-server.yaml where there is eth0 alone' 0 agent apply \
	"$e2e_top/policies/examples/mgn-source-server.yaml"
lab_enter agent sh -c 'ip link set eth0 name ens5; ip link set ens5 up'
fr agent detach >/dev/null
writes audit '{interfaces: ["wlan*", "ppp*"]}'
fr_exits 'nothing at all: exit 3' 3 agent apply "$work/p.yaml"

# The interface of a host whose address is on a bridge.
writes audit '{interfaces: [eth0]}'
fr_exits 'a port of a bridge' 0 hypervisor apply "$work/p.yaml"
matches 'apply names the bridge' 'eth0 is a port of bridge br0: .*attach br0' "$said"
matches 'status as well' 'eth0 is a port of bridge br0' "$(fr hypervisor status)"
fr hypervisor detach >/dev/null
writes enforce '{interfaces: ["[be]*"]}'
fr_exits 'a bridge and its port by one pattern' 0 hypervisor apply "$work/p.yaml"
matches 'the port is left out' 'eth0 is a port of a bridge or bond that is attached as well' "$said"
fr_exits 'and that is no fault' 0 hypervisor status
matches 'but told' 'eth0: it matches .* counted twice' "$said"
fr hypervisor detach >/dev/null
writes audit '{interfaces: [br0, eth0]}'
fr_exits 'a bridge and its port by name' 0 hypervisor apply "$work/p.yaml"
matches 'apply says that packets count twice' 'eth0 lies below br0: .*counted twice' "$said"
fr hypervisor detach >/dev/null

# Cgroups that come later.
e2e_cgroup agent pods
mkdir "$LAB_CGROUP/a"
writes enforce "{cgroups: [\"/$LAB_TAG-pods/*\"]}"
succeeds 'cgroups by a pattern' fr agent apply "$work/p.yaml"
fr_exits 'cgroups: it enforces' 0 agent status --query
mkdir "$LAB_CGROUP/b"
fr_exits 'cgroups: one that comes later: status exits 5' 5 agent status
matches 'cgroups: and names it' "FAULT +cgroup /$LAB_TAG-pods/b: it matches" "$said"
succeeds 'cgroups: apply takes it in' fr agent apply "$work/p.yaml"
fr_exits 'cgroups: it enforces again' 0 agent status --query
fr agent detach >/dev/null
rmdir "$LAB_CGROUP"/[ab]
