#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Devices and cgroups that change under a policy: later ones that match a pattern, names that move to another
# device, alternative names, ports of bridges, and programs that bypass a guest's hook. The report of status,
# its exit code in audit and enforce, and the result of apply, with TCX and without.
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
hint() { sed -n 's/^ *| \(flowreeve \)/\1/p' <<<"$said" | head -1; }
paste() # COMMAND
{
	ln -sf "$FLOWREEVE" "$work/flowreeve"
	lab_enter agent env PATH="$work:$PATH" timeout -s KILL 60 sh -c "$1"
}
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
	fr_exits "$with: status exits 5" 5 agent status e2e
	matches "$with: and names it" 'FAULT +interface ens9: it matches ens\* and is not judged' "$said"
	equal "$with: with a command" "flowreeve apply --mode enforce --pin-root $LAB_DIR/bpf/flowreeve${options:+ $options} $work/p.yaml" "$(hint)"
	matches "$with: on stderr too" 'ens9 of policy e2e: it matches ens\* and is not judged \[not-judged\]' "$said"
	fr_exits "$with: --query exits 5" 5 agent status --query
	equal "$with: --json names it" 'interface ens9 ens*' "$(not_judged)"
	equal "$with: --json counts it" 'false 1' "$(fr_ask agent '.policies[0] | "\(.enforcing) \(.faults)"' status)"
	succeeds "$with: apply takes it in" fr agent apply "$work/p.yaml" $options
	fr_exits "$with: and it enforces" 0 agent status --query
	equal "$with: the device is judged" judged "$(reaches_second)"
	second_gone
	fr agent detach >/dev/null

	# In audit it is reported, and no failure.
	writes audit '{interfaces: ["ens*"]}'
	succeeds "$with: in audit" fr agent apply "$work/p.yaml" $options
	second ens9
	fr_exits "$with: in audit: status exits 0" 0 agent status e2e
	matches "$with: in audit: and names it" 'OPEN +interface ens9: it matches ens\*' "$said"
	fr agent detach >/dev/null

	# Names that two devices exchange: the policy refers to the name.
	writes enforce '{interfaces: [ens9]}'
	succeeds "$with: one device is judged" fr agent apply "$work/p.yaml" $options
	exchange ens5 ens9
	fr_exits "$with: names exchanged: status exits 5" 5 agent status e2e
	matches "$with: the hook has the name of today" 'alive +interface ens5 \(ens9 when applied\)' "$said"
	matches "$with: the name is another device's" 'FAULT +interface ens9: ens9 is another device now' "$said"
	equal "$with: the device of before is judged still" judged "$(reaches_second)"
	fr_exits "$with: apply follows the name" 0 agent apply "$work/p.yaml" $options
	matches "$with: and says what it lets go" 'lowered +interface ens5, which was ens9 when it was applied, is no longer attached' "$said"
	equal "$with: and lets the other go" open "$(reaches_second)"
	fr_exits "$with: status exits 0 again" 0 agent status --query
	exchange ens5 ens9
	fr agent apply "$work/p.yaml" $options >/dev/null 2>&1

	# A mere renaming is none.
	lab_enter agent sh -c 'ip link set ens9 down; ip link set ens9 name wan; ip link set wan up'
	fr_exits "$with: renamed: status exits 0" 0 agent status e2e
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
	matches "$with: and shown by its own" 'alive +interface wan ' "$(fr agent status e2e)"

	# That goes to another device: the policy refers to the name.
	lab_enter agent ip link property del dev wan altname the-uplink-of-this-host
	lab_enter agent ip link property add dev ens5 altname the-uplink-of-this-host
	fr_exits "$with: it goes to another device: status exits 5" 5 agent status e2e
	succeeds "$with: the command of status heals" paste "$(hint)"
	fr_exits "$with: and it enforces" 0 agent status --query
	equal "$with: the device of before is let go" open "$(reaches_second)"
	lab_enter agent ip link property del dev ens5 altname the-uplink-of-this-host
	fr agent detach >/dev/null
	second_gone

	# A device of a pattern that gets another name, while a new one comes by the old name.
	second ens9
	writes enforce '{interfaces: ["ens*"]}'
	succeeds "$with: a pattern" fr agent apply "$work/p.yaml" $options
	lab_enter agent sh -ec 'ip link set ens9 down; ip link set ens9 name lan0; ip link set lan0 up
		ip link add ens9 type veth peer name pair9'
	fr_exits "$with: the name of a pattern's device goes to another: status exits 5" 5 agent status e2e
	matches "$with: and its hint names what is to be done" 'lan0 matches no name under attach: add it there' "$said"
	fr_exits "$with: apply lets no device of a pattern go" 3 agent apply "$work/p.yaml" $options
	matches "$with: and names it" 'interface lan0, which was ens9 when it was applied, is no longer attached' "$said"
	equal "$with: it is judged" judged "$(reaches_second)"
	lab_enter agent ip link del ens9
	fr agent detach >/dev/null
	second_gone
done

# A device that goes to another network namespace takes its link along.
second ens9
writes enforce '{interfaces: ["ens*"]}'
succeeds 'a device that moves' fr agent apply "$work/p.yaml"
if grep -q clsact <<<"$(fr agent status e2e)"; then
	skip 'a device that moves' 'no TCX'
else
	lab_enter agent ip link set ens9 netns "$(lab_netns nfs)"
	matches 'it is judged there' 'ens9 is in another network namespace' "$(fr agent status e2e)"
	fr_exits 'apply does not let it go' 3 agent apply "$work/p.yaml"
	matches 'and names it' 'interface ens9, which is now in another network namespace, is no longer attached' "$said"
	rm "$LAB_DIR"/bpf/flowreeve/e2e/link-*-egress
	fr_exits 'nor where one of its links is lost' 3 agent apply "$work/p.yaml"
	succeeds 'but by the command that says so' fr agent apply "$work/p.yaml" --allow-removal
fi
fr agent detach >/dev/null
second_gone

# A pattern's device becomes the port of a bridge that the pattern takes as well.
second ens9
lab_enter agent ip addr flush dev ens9
writes enforce '{interfaces: ["ens*"]}'
succeeds 'a device that becomes a port' fr agent apply "$work/p.yaml"
lab_enter agent sh -ec 'ip link add ensbr type bridge; ip link set ensbr up; ip link set ens9 master ensbr
	ip addr add 10.99.0.1/24 dev ensbr'
fr_exits 'the bridge comes: status exits 5' 5 agent status e2e
succeeds 'the command of status heals' paste "$(hint)"
fr_exits 'and it enforces' 0 agent status --query
equal 'at the bridge' judged "$(reaches_second)"
writes enforce '{interfaces: [ens5]}'
fr_exits 'neither goes by itself' 3 agent apply "$work/p.yaml"
lab_enter agent ip link del ensbr
fr agent detach >/dev/null
second_gone

# Two policies: a device that one of them judges is not open.
other_writes() { # MODE ATTACH
	policy_write "$work/q.yaml" "$1" "$2"
	sed -i 's/name: e2e/name: other/' "$work/q.yaml"
}
second wan
writes enforce '{interfaces: ["ens*"]}'
other_writes enforce '{interfaces: [wan]}'
succeeds 'one policy' fr agent apply "$work/p.yaml"
succeeds 'and another' fr agent apply "$work/q.yaml"
lab_enter agent sh -ec 'ip link set wan down; ip link set wan name ens9; ip link set ens9 up'
fr_exits 'a device of the other comes under the pattern: no fault' 0 agent status e2e
matches 'but told' 'ens9: it matches ens\* and is judged by policy other' "$said"
fr_exits 'what the other has is not taken from it' 3 agent apply "$work/p.yaml"
matches 'and the hint says so' 'name it in one of the two; flowreeve detach' "$said"
other_writes audit '{interfaces: [ens9]}'
succeeds 'the other in audit' fr agent apply "$work/q.yaml" --mode audit
fr_exits 'the other in audit: a fault' 5 agent status e2e
matches 'and told' 'ens9 of policy e2e: it matches ens\* and is judged by policy other, in audit' "$said"
matches 'with what puts it right' 'apply policy other in mode enforce' "$said"
fr agent detach --all >/dev/null
writes enforce '{interfaces: [ens5]}'
other_writes enforce '{interfaces: [ens9]}'
succeeds 'one device each' fr agent apply "$work/p.yaml"
succeeds 'and the other' fr agent apply "$work/q.yaml"
exchange ens5 ens9
fr_exits 'their names exchanged: no fault' 0 agent status e2e
matches 'but told' 'ens5: ens5 is another device now, which is judged by policy other' "$said"
exchange ens5 ens9
fr agent detach --all >/dev/null
second_gone

# One pattern of several matches nothing: a shipped policy must apply on a host with one kind of name.
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

# Names that do not exist, and the likely intended ones.
not_there() # ATTACH WORDS
{
	writes enforce "$1"
	fr_exits "$1 is not there" 3 agent apply "$work/p.yaml"
	matches "$1: what was meant" "$2" "$said"
}
not_there '{interfaces: ["ens5@if9"]}' "write ens5: the part after @ in the output of 'ip link' is not in the name"
not_there '{interfaces: [ENS5]}' "did you mean 'ens5'\?"
not_there '{interfaces: [ens6]}' "did you mean 'ens5'\?"
not_there '{interfaces: ["wlan*"]}' 'ip link lists those of this network namespace'
not_there '{interfaces: ["ENS5*"]}' 'ip link lists those of this network namespace'

# The interface of a host whose address is on a bridge.
writes audit '{interfaces: [eth0]}'
fr_exits 'a port of a bridge' 0 hypervisor apply "$work/p.yaml"
matches 'apply names the bridge' 'eth0 is a port of bridge br0: .*attach br0' "$said"
matches 'status as well' 'eth0 is a port of bridge br0' "$(fr hypervisor status e2e)"
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
fr_exits 'cgroups: one that comes later: status exits 5' 5 agent status e2e
matches 'cgroups: and names it' "FAULT +cgroup /$LAB_TAG-pods/b: it matches" "$said"
succeeds 'cgroups: apply takes it in' fr agent apply "$work/p.yaml"
fr_exits 'cgroups: it enforces again' 0 agent status --query
fr agent detach >/dev/null
rmdir "$LAB_CGROUP"/[ab]

# Below another root than that of the host.
root=$LAB_CGROUP
not_there "{cgroups: [$root]}" "write /$LAB_TAG-pods: paths begin below"
not_there '{cgroups: ["/no/such/*"]}' 'find .* -type d lists them'
mkdir -p "$root"/pods/a "$root"/b
writes enforce '{cgroups: ["/pods/*"]}'
succeeds 'below a root of its own' fr agent apply "$work/p.yaml" --cgroup "$root"
fr_exits 'below a root of its own: it enforces' 0 agent status --query
mkdir "$root"/pods/z
fr_exits 'below a root of its own: one that comes later' 5 agent status e2e
matches 'below a root of its own: named' 'FAULT +cgroup /pods/z: it matches' "$said"
succeeds 'below a root of its own: the command of status heals' paste "$(hint)"
fr_exits 'below a root of its own: and it enforces' 0 agent status --query
writes enforce "{cgroups: [/$LAB_TAG-pods/b]}"
fr_exits 'another root does not let them go' 3 agent apply "$work/p.yaml"
matches 'another root: named' 'cgroup /pods/a is no longer attached' "$said"
writes enforce '{cgroups: [/pods/a]}'
succeeds 'by a plain name' fr agent apply "$work/p.yaml" --cgroup "$root" --allow-removal
mkdir -p "$root"/b/pods/a
fr_exits 'the same name below another root is another' 3 agent apply "$work/p.yaml" --cgroup "$root/b"
fr agent detach >/dev/null
rmdir "$root"/pods/[az] "$root"/pods "$root"/b/pods/a "$root"/b/pods "$root"/b
