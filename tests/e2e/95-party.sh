#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# One machine behind two taps: it opens by one and is answered by the other. Without `party` each tap is judged by
# itself; with it they share flows, and an outsider gains nothing.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/odd.sh"
. "$e2e_here/speakers.sh"

# The appliance's second device: frames to its address reach that one, and its own leave by the first.
second_tap()
{
	local node
	ip -n "$LAB_TAG-hypervisor" link add tap1 type veth peer name eth1 netns "$LAB_TAG-appliance"
	ip -n "$LAB_TAG-hypervisor" link set tap1 master br0 up
	ip -n "$LAB_TAG-appliance" link set eth1 up
	for node in all eth0 eth1; do lab_in appliance sysctl -qw "net.ipv4.conf.$node.rp_filter=0"; done
	lab_in appliance sysctl -qw net.ipv4.conf.all.arp_ignore=8
	lab_in appliance ip neigh replace 10.0.5.10 lladdr \
		"$(ip -n "$LAB_TAG-vpc" -j link show eth0 | jq -r '.[0].address')" dev eth0 nud permanent
	lab_in vpc ip neigh replace 10.0.5.6 lladdr \
		"$(ip -n "$LAB_TAG-appliance" -j link show eth1 | jq -r '.[0].address')" dev eth0 nud permanent
}

party_apply() # MODE LINE [GUESTS]
{
	mode=$1
	cat >"$work/party.yaml" <<-YAML
		apiVersion: flowreeve/v1
		kind: Policy
		metadata: {name: party}
		mode: $1
		attach: {guests: ${3:-[tap0, tap1]}}
		$2
		failsafe: []
		rules:
		  - {id: ask, direction: egress, peer: [10.0.5.10], ports: [7/udp, 7/tcp], action: allow}
	YAML
	succeeds "$1, ${2:-no party}: apply" fr hypervisor apply "$work/party.yaml"
}

# A fresh port each time: no flow of an earlier policy helps. EXPECTED
exchange_is()
{
	local heard
	speaker_start asker appliance 10.0.5.6 0
	speaker_start server vpc 10.0.5.10 7
	heard=${speaker_port[asker]}
	word_is "the question" heard asker 10.0.5.10 7 server
	word_is "its answer by the other device" "$1" server 10.0.5.6 "$heard" asker
	speaker_end asker server
}

e2e_begin party
e2e_kind guest
second_tap
peer_start vpc echo-tcp 7


party_apply enforce ''
exchange_is silence
tries 'no party: a connection' timeout peer_try appliance tcp 10.0.5.10 7
matches 'the refused answer names what to write' 'party: \[tap0, tap1\]' "$(fr hypervisor show drops)"
party_apply enforce 'party: [tap0, tap1]'
exchange_is heard
tries 'a party: a connection' ok peer_try appliance tcp 10.0.5.10 7
matches 'status names the party' 'guests tap0, tap1 are one party' "$(fr hypervisor status party)"
equal 'and so does its JSON' 1 "$(fr_ask hypervisor '[.policies[].remarks[] | select(.check == "party")] | length' status)"
speaker_start stranger vpc 10.0.5.20 7
speaker_start asker appliance 10.0.5.6 0
word_is 'a stranger gains nothing' silence stranger 10.0.5.6 "${speaker_port[asker]}" asker
speaker_end stranger asker
matches 'the same again changes nothing' unchanged "$(fr hypervisor apply "$work/party.yaml" 2>&1)"
party_apply enforce 'party: ["tap*"]' '["tap*"]'
exchange_is heard
party_apply enforce ''
exchange_is silence
sed 's/^attach.*/attach: {guests: ["tap*", "t*0"]}/; s/^failsafe/party: [["tap*"], ["t*0"]]\nfailsafe/' "$work/party.yaml" >"$work/twice.yaml"
fr_exits "a device in two parties by its patterns" 3 hypervisor apply "$work/twice.yaml"
matches "it says which" "tap[01] is in two parties" "$said"
