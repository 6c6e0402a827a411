#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# One datagram asks, and the server goes on sending: as long as the socket that asked is there, and to no other
# that has its port later.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/speakers.sh"

timeout=6 # seconds, of a flow of datagrams

push_policy()
{
	cat >"$work/push.yaml" <<-YAML
		apiVersion: flowreeve/v1
		kind: Policy
		metadata: {name: push}
		mode: enforce
		attach: $attach
		failsafe: []
		timeouts: {udp: ${timeout}s, udp-oneway: ${timeout}s}
		rules:
		  - {id: push, direction: egress, peer: [10.0.5.10], ports: [7/udp], action: allow}
	YAML
}

# Datagrams of the server until SECONDS have passed or one is not heard: the last one's fate. TO SECONDS
pushes()
{
	local end=$((SECONDS + $2)) port=${speaker_port[asker]}
	said=nothing
	while [ $SECONDS -lt $end ]; do
		word server 10.0.5.5 "$port" "$1" "${3:-heard}"
		[ "$said" = heard ] || break
		sleep 0.3
	done
}

push_run() # KIND
{
	e2e_kind "$1"
	mode=enforce
	push_policy
	# shellcheck disable=SC2086 # options
	succeeds "$kind: apply" fr agent apply "$work/push.yaml" $options
	speaker_start server vpc 10.0.5.10 7
	speaker_start asker agent 10.0.5.5 0
	word_is 'the question' heard asker 10.0.5.10 7 server
	pushes asker $((3 * timeout))
	equal "$kind: a socket that asked once is served" heard "$said"
	speaker_end asker
	speaker_start other agent 10.0.5.5 "${speaker_port[asker]}"
	pushes other $((10 * timeout)) silence
	equal "$kind: another socket on its port is not" silence "$said"
	speaker_end server other
	succeeds "$kind: detach" fr agent detach push
}

e2e_begin push
for one in interface cgroup; do push_run "$one"; done
