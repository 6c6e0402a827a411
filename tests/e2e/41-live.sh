#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Attaching to a busy host: enforce is applied to live connections. Allowed ones go on, denied ones are
# cut, a change of policy judges old connections anew.
. "$(dirname "$0")/lib.sh"

live_run() # KIND
{
	local name=$1
	e2e_kind "$1"
	policy_write "$work/live.yaml" enforce "$attach"
	policy_write "$work/less.yaml" enforce "$attach"
	sed -i '/id: echo/d' "$work/less.yaml"
	traffic_start allowed "$party" transfer 10.0.5.10 1024
	traffic_start changing "$party" transfer 10.20.0.5 7 5
	traffic_start inward bastion transfer "$party4" 22022
	traffic_start denied "$party" transfer 10.66.0.66 4444 5
	succeeds "$name: apply in enforce to a busy host" fr "$host" apply "$work/live.yaml" $options
	succeeds "$name: a denied transfer is cut" until_true says "$work/denied" '^broke'
	succeeds "$name: one that is allowed yet is not" traffic_runs changing
	succeeds "$name: and a policy with one rule less" fr "$host" apply "$work/less.yaml" $options
	succeeds "$name: one whose rule is gone is cut too" until_true says "$work/changing" '^broke'
	traffic_end allowed
	matches "$name: an allowed transfer goes on" '^lines [0-9]+$' "$said"
	traffic_end inward
	matches "$name: so does one that the peer opened" '^lines [0-9]+$' "$said"
	equal "$name: of neither a packet was refused" 0 "$(fr_ask "$host" '[.drops[] | select(.verdict == "drop" and
		(.peer.address == "10.0.5.10" or .peer.address == "10.0.9.5"))] | length' show drops)"
	at_least "$name: the adopted ones are counted" 1 \
		"$(fr_ask "$host" '.policies[0].tallies.flows_adopted' status)"
	succeeds "$name: detach" fr "$host" detach
}

e2e_begin live
peer_start vpc control 10.0.5.10 1024
peer_start nfs echo 7
peer_start intruder stranger 4444
peer_start agent admin 22022
peer_start appliance admin-appliance 22022
live_run interface
live_run clsact
live_run guest
