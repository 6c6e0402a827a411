#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A second apply replaces without a packet unjudged: 50 of them under streams that the policy allows and
# streams that it denies. No allowed packet is lost, no denied one slips through, the figures go on.
. "$(dirname "$0")/lib.sh"

applies=50

replace_run() # KIND
{
	local name=$1 i failures=0 generation sent answered refused before after
	e2e_kind "$1"
	policy_write "$work/one.yaml" enforce "$attach"
	policy_write "$work/two.yaml" enforce "$attach"
	# Same rules but for one: the image differs, so each apply is a new generation.
	sed -i 's/ports: \[9\/tcp\]/ports: [10\/tcp]/' "$work/two.yaml"
	succeeds "$name: apply" fr "$host" apply "$work/one.yaml" $options
	before=$(rule_field "$host" echo packets)
	generation=$(fr_ask "$host" '.policies[0].generation' status)

	traffic_start allowed "$party" stream 10.20.0.5 7 0.002
	traffic_start denied intruder stream "$party4" 8081 0.002
	for i in $(seq $applies); do
		fr "$host" apply "$work/$([ $((i % 2)) = 0 ] && echo one || echo two).yaml" $options >"$work/apply" 2>&1 ||
			failures=$((failures + 1))
	done
	equal "$name: $applies applies under load succeed" 0 "$failures"
	succeeds "$name: the allowed stream ran all along" traffic_runs allowed
	succeeds "$name: so did the denied one" traffic_runs denied
	traffic_end denied
	matches "$name: no denied datagram slipped through" '^sent [0-9]+ received 0$' "$said"
	read -r _ refused _ <<<"$said"
	traffic_end allowed
	read -r _ sent _ answered <<<"$said"
	equal "$name: no allowed datagram was lost" "$sent" "$answered"
	at_least "$name: one datagram an apply, at the least" $applies "$sent"
	after=$(rule_field "$host" echo packets)
	equal "$name: each datagram was judged, under one generation or the next" \
		$((2 * sent)) $((after - before))
	at_least "$name: each denied one too" "$refused" "$(rule_field "$host" default-ingress drops)"
	equal "$name: generations went up one by one" $((generation + applies)) \
		"$(fr_ask "$host" '.policies[0].generation' status)"
	matches "$name: the same policy again changes nothing" unchanged "$(fr "$host" apply "$work/one.yaml" $options --json 2>&1)"
	succeeds "$name: detach" fr "$host" detach
}

e2e_begin replace
peer_start nfs echo --udp 7
peer_start agent forgotten-udp --udp 8081
peer_start appliance forgotten-udp-appliance --udp 8081
replace_run interface
replace_run clsact
replace_run guest
lab_stop peer-forgotten-udp
e2e_cgroup agent agent
peer_start agent forgotten-udp --udp 8081
replace_run cgroup
