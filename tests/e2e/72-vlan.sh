#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Tagged traffic: once, QinQ, and with more tags than any parser reads. A packet that leaves a host here
# carries its tags in band; one that a device receives, or that a bridge sends to a guest, has the
# outermost one beside the frame. Both must be judged by their inner packet.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/odd.sh"

mac_of() # NODE INTERFACE
{
	lab_enter "$1" ip -json link show dev "$2" | jq -r '.[0].address'
}

# NODE ask|send, then SOURCE TARGET PORT OPTIONS...: from the party to the endpoint, or back
tagged()
{
	local verb=$1
	shift
	if [ "$1" = "$party4" ] || [ "$1" = "$party6" ]; then
		tool "$party" frame-client "$verb" "$device" "$vpc_mac" "$@"
	else
		tool vpc frame-client "$verb" eth0 "$party_mac" "$@"
	fi
}

hears() # WHAT EXPECTED SOURCE TARGET PORT OPTIONS...
{
	local what=$1 expected=$2 wait=3
	shift 2
	[ "$expected" = timeout ] && wait=0.3
	equal "$kind, $mode: $what" "$expected" "$(tagged ask "$@" --wait $wait 2>&1)"
}

vlan_inside() # TAGS
{
	local tags=$1
	hears "in $tags an allowed port" ok "$party4" 10.0.5.10 7 --tags "$tags"
	hears "in $tags over IPv6" ok "$party6" fd00:5::10 7 --tags "$tags"
	hears "in $tags a port that is not" "$outward" "$party4" 10.0.5.10 9 --tags "$tags"
	hears "in $tags from outside, an allowed port" ok 10.0.5.10 "$party4" 514 --tags "$tags"
	hears "in $tags from outside, a port that is not" "$inward" 10.0.5.10 "$party4" 515 --tags "$tags"
	hears "in $tags over IPv6 from outside" "$inward" fd00:5::10 "$party6" 515 --tags "$tags"
}

# A flow of VLAN 5, and the very packets of its answers in VLAN 6.
vlan_apart()
{
	local one="[.flows[] | select(.vlan == 5 and .local.port == 4005 and .rule == \"ask\") | .ingress.packets] | add // 0"
	hears 'a conversation in VLAN 5' ok "$party4" 10.0.5.10 7 --tags 5 --from 4005
	equal "$kind, $mode: is reported with its VLAN" 1 "$(fr_ask "$host" "$one" show flows)"
	tagged send 10.0.5.10 "$party4" 4005 --tags 5 --from 7 >/dev/null
	equal "$kind, $mode: another answer in VLAN 5 belongs to it" 2 "$(fr_ask "$host" "$one" show flows)"
	tagged send 10.0.5.10 "$party4" 4005 --tags 6 --from 7 >/dev/null
	tagged send 10.0.5.10 "$party4" 4005 --from 7 >/dev/null
	equal "$kind, $mode: in VLAN 6, or in none, it is nobody's answer" "$told 6 1,$told null 1," \
		"$(fr_ask "$host" '.drops[] | select(.local.port == 4005) | "\(.verdict) \(.vlan) \(.packets)"' show drops | sort | tr '\n' ,)"
}

# The kernel strips priority tags and delivers the inner packet. More tags with an id than are read could hide
# IP for another receiver, and so could a longer chain: refused, also where other ethertypes pass.
vlan_many()
{
	local tags many=0.0.0.0.0.0.0.0.0.0
	for tags in 0 0.0 0.0.0 ad0.0.0.0 0.5.0.6 $many; do
		hears "in $tags a port that is not" "$outward" "$party4" 10.0.5.10 9 --tags $tags
		hears "in $tags from outside, a port that is not" "$inward" 10.0.5.10 "$party4" 515 --tags $tags
	done
	hears 'in 0.0.0 an allowed port' ok "$party4" 10.0.5.10 7 --tags 0.0.0
	[ "$mode" = enforce ] && odd_apply enforce '' 'non-ip: allow'
	for tags in 5.6.7 0.5.0.6.7 $many.0.0; do
		hears "more tags than are read, $tags" "$outward" "$party4" 10.0.5.10 7 --tags $tags
		hears "more tags than are read, $tags, from outside" "$inward" 10.0.5.10 "$party4" 514 --tags $tags
	done
	[ "$kind $mode" = 'interface enforce' ] || return 0
	odd_apply enforce '' 'non-ip: deny'
	hears 'with non-ip: deny two tags are no other protocol' ok "$party4" 10.0.5.10 7 --tags ad100.5
}

vlan_run() # KIND MODE
{
	local tags
	e2e_kind "$1"
	device=ens5 party_mac=$(mac_of agent ens5)
	[ "$1" = guest ] && device=eth0 party_mac=$(mac_of appliance eth0)
	odd_apply "$2"
	for tags in 5 ad100.5 5.6; do
		[ "$2 $tags" = 'audit 5.6' ] || vlan_inside $tags
	done
	vlan_apart
	vlan_many
	succeeds "$kind, $mode: detach" fr "$host" detach
}

e2e_begin vlan
vpc_mac=$(mac_of vpc eth0)
lab_spawn tagged-vpc vpc "$e2e_here/tools/frame-client" echo eth0
lab_spawn tagged-agent agent "$e2e_here/tools/frame-client" echo ens5
lab_spawn tagged-appliance appliance "$e2e_here/tools/frame-client" echo eth0
for name in vpc agent appliance; do
	until_says "$work/log/tagged-$name" ready
done
vlan_run interface audit
vlan_run interface enforce
vlan_run guest enforce
