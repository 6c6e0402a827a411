#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Openings that a hook sees only in part: a SYN that came in by another device, and one that meets a connection
# whose socket has gone.
. "$(dirname "$0")/lib.sh"

# The endpoint's packets to the party take a wire of their own, the answers the attached device.
wire_add()
{
	local node mac
	ip -n "$LAB_TAG-agent" link add eth9 type veth peer name eth9 netns "$LAB_TAG-vpc"
	for node in agent vpc; do
		ip -n "$LAB_TAG-$node" link set eth9 up
		lab_enter $node sh -c 'for i in all eth9 ens5 eth0; do
			[ ! -e /proc/sys/net/ipv4/conf/$i ] || echo 0 >/proc/sys/net/ipv4/conf/$i/rp_filter; done'
	done
	mac=$(lab_enter agent ip -json link show dev eth9 | jq -r '.[0].address')
	ip -n "$LAB_TAG-vpc" route add 10.0.5.5/32 dev eth9 src 10.0.5.10
	ip -n "$LAB_TAG-vpc" -6 route add fd00:5::5/128 dev eth9 src fd00:5::10
	ip -n "$LAB_TAG-vpc" neigh add 10.0.5.5 lladdr "$mac" dev eth9
	ip -n "$LAB_TAG-vpc" neigh add fd00:5::5 lladdr "$mac" dev eth9
}

openings_apply() # MODE [OPTIONS...]
{
	local mode=$1
	shift
	cat >"$work/openings.yaml" <<-YAML
		apiVersion: flowreeve/v1
		kind: Policy
		metadata: {name: openings}
		mode: $mode
		attach: {interfaces: [ens5]}
		rules:
		  - {id: serve, direction: ingress, peer: [10.0.5.10, "fd00:5::10"], ports: [514/tcp], action: allow}
		  - {id: ask, direction: egress, peer: [10.0.5.77], ports: [7/tcp], action: allow}
		failsafe: []
	YAML
	succeeds "$mode: apply" fr agent apply "$work/openings.yaml" "$@"
}

asymmetric() # MODE REFUSED [OPTIONS...]
{
	local address mode=$1 refused=$2
	shift 2
	openings_apply "$mode" "$@"
	for address in 10.0.5.5 fd00:5::5; do
		equal "$mode: in another way, out by the attached device, $address" ok \
			"$(tool vpc sock-client tcp $address 514 --size 20000)"
		equal "$mode: a port that no rule opens, $address" "$refused" "$(tool vpc sock-client tcp $address 515 --wait 0.5)"
	done
	equal "$mode: booked on the rule of the opening" 2 "$(rule_field agent serve attempts)"
	succeeds "$mode: detach" fr agent detach
}

# Asked from a port for a connection, and given up; a service that no rule opens has the port now.
too_late()
{
	local heard
	openings_apply enforce
	ip -n "$LAB_TAG-agent" neigh replace 10.0.5.77 lladdr 02:00:00:00:00:77 dev ens5 nud permanent
	equal 'given up: the connection' timeout "$(tool agent sock-client tcp 10.0.5.77 7 --from 515 --wait 0.3)"
	peer_start agent serve 514 515
	heard=$(drops_of agent drop ingress 10.0.5.77 515)
	lab_in vpc "$e2e_here/tools/spoof" tcp 10.0.5.77 7 10.0.5.5 515 1 S >/dev/null
	for _ in $(seq 100); do
		[ "$(drops_of agent drop ingress 10.0.5.77 515)" = "$heard" ] || break
		sleep 0.05
	done
	equal 'given up: what it asked does not connect to what listens there now' $((heard + 1)) \
		"$(drops_of agent drop ingress 10.0.5.77 515)"
	succeeds 'given up: detach' fr agent detach
}

e2e_begin openings
. "$e2e_here/odd.sh"
too_late
wire_add
asymmetric audit ok
asymmetric enforce timeout
asymmetric enforce timeout --no-tcx
