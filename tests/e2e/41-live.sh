#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Attaching to a busy host: enforce is applied while connections live. What the policy allows goes on,
# what it denies is cut, a change of policy judges old connections anew.
. "$(dirname "$0")/lib.sh"

transfer_start() # NODE NAME ADDRESS PORT SECONDS
{
	lab_in "$1" timeout -s KILL 60 "$e2e_top/scripts/lab-peer" transfer "$3" "$4" "$5" >"$work/transfer-$2" 2>&1 &
	transfers="$transfers $!"
	local i
	for i in $(seq 60); do
		grep -q connected "$work/transfer-$2" && return
		sleep 0.05
	done
	not_ok "the transfer $2 begins" "$(cat "$work/transfer-$2")"
}

live_run() # KIND
{
	local name=$1
	e2e_kind "$1"
	transfers=
	policy_write "$work/live.yaml" enforce "$attach"
	policy_write "$work/less.yaml" enforce "$attach"
	sed -i '/id: echo/d' "$work/less.yaml"
	transfer_start "$party" allowed 10.0.5.10 1024 4
	transfer_start "$party" changing 10.20.0.5 7 8
	transfer_start bastion inward "$party4" 22022 4
	transfer_start "$party" denied 10.66.0.66 4444 8
	succeeds "$name: apply in enforce to a busy host" fr "$host" apply "$work/live.yaml" $options
	sleep 1
	succeeds "$name: and a policy with one rule less" fr "$host" apply "$work/less.yaml" $options
	wait $transfers
	matches "$name: an allowed transfer goes on" '^lines [0-9]+ longest-gap-ms' "$(cat "$work/transfer-allowed")"
	at_least "$name: without a gap worth the name" 1 \
		"$(awk '/^lines/ { print ($4 < 3000) }' "$work/transfer-allowed")"
	matches "$name: so does one that the peer opened" '^lines [0-9]+' "$(cat "$work/transfer-inward")"
	matches "$name: a denied one is cut" 'broke' "$(cat "$work/transfer-denied")"
	matches "$name: one whose rule is gone is cut too" 'broke' "$(cat "$work/transfer-changing")"
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
