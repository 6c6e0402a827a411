#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Who opened: audit reports what enforcement does where both ends use one fixed port, and what a new policy
# cuts is reported in its opener's direction, with the port that was asked for.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/odd.sh"
. "$e2e_here/speakers.sh"

openers_apply() # MODE
{
	mode=$1
	cat >"$work/openers.yaml" <<-YAML
		apiVersion: flowreeve/v1
		kind: Policy
		metadata: {name: openers}
		mode: $1
		attach: $attach
		failsafe: []
		rules:
		  - {id: ntp, direction: egress, peer: [10.0.5.10, "fd00:5::10"], ports: [123/udp], action: allow}
	YAML
	succeeds "$kind, $1: apply" fr "$host" apply "$work/openers.yaml"
}

# The peer speaks first and is refused; then the party opens, is answered, and goes on.
fixed_ports() # ADDRESS PEER
{
	local refused=silence
	[ "$mode" = audit ] && refused=heard
	speaker_start ours "$party" "$1" 123
	speaker_start theirs vpc "$2" 123
	word_is "$1: the peer speaks first" $refused theirs "$1" 123 ours
	word_is "$1: then the party" heard ours "$2" 123 theirs
	word_is "$1: and is answered" heard theirs "$1" 123 ours
	word_is "$1: and goes on" heard ours "$2" 123 theirs
	speaker_end ours theirs
}

refused_of() { echo $(($(rule_field "$host" "$1" drops) + $(rule_field "$host" "$1" would_drops))); } # RULE

fixed_run() # KIND MODE
{
	odd_kind "$1"
	openers_apply "$2"
	fixed_ports "$party4" 10.0.5.10
	fixed_ports "$party6" fd00:5::10
	equal "$kind, $mode: refused is what the peer sent first" '2 0' \
		"$(refused_of default-ingress) $(refused_of default-egress)"
	equal "$kind, $mode: the row has both conversations" '2 6' \
		"$(rule_field "$host" ntp attempts) $(rule_field "$host" ntp packets)"
	equal "$kind, $mode: so coverage reports it as seen" 0 \
		"$(fr_ask "$host" '[.policies[].rules[] | select(.id == "ntp" and (.seen | not))] | length' coverage)"
	succeeds "$kind, $mode: detach" fr "$host" detach
}

# Both ends of a transfer that runs are cut: the arrow is its opener's, the port that of the listener.
cut_run() # KIND
{
	local direction=egress peer=10.66.0.66
	odd_kind "$1"
	traffic_start ours "$party" transfer 10.66.0.66 4444 5
	traffic_start theirs bastion transfer "$party4" 22022 5
	openers_apply enforce
	succeeds "$kind: the transfer that the party opened is cut" until_true says "$work/ours" '^broke'
	succeeds "$kind: and the one that the peer opened" until_true says "$work/theirs" '^broke'
	traffic_end ours
	traffic_end theirs
	at_least "$kind: reported as the party's own" 1 "$(drops_of "$host" drop egress 10.66.0.66 4444)"
	at_least "$kind: and as the peer's" 1 "$(drops_of "$host" drop ingress 10.0.9.5 22022)"
	equal "$kind: and in no other direction" 0 "$(fr_ask "$host" '[.drops[] | select(.protocol == "tcp" and
		(.direction == "egress") != (.rule == "default-egress"))] | length' show drops)"
	succeeds "$kind: detach" fr "$host" detach
}

e2e_begin openers
peer_start intruder stranger 4444
for kind in $odd_kinds; do
	fixed_run "$kind" enforce
	fixed_run "$kind" audit
done
peer_start agent admin 22022
peer_start appliance admin-appliance 22022
cut_run interface
