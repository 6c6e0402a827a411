#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Changes that end by themselves: confirmed, cancelled, extended, rolled back by the kernel with nothing of
# ours alive; the hooks, the figures and the names of the policy before are whole afterwards.
#
# lesson: other firewalls undo a change by a process that waits, and a policy that cuts the session that
# typed it kills that process, too.
. "$(dirname "$0")/lib.sh"

state() { fr_ask "$host" '.policies[0] | "\(.mode) \(.generation) \(.pending.kind) \(.faults)"' status; }
listed() { fr_ask "$host" '.policies[0].rules[] | select(.id == "'"$1"'") | .id' show rules; }
asks() { peer_try "$party" udp 10.20.0.5 7 --wait 0.3 2>/dev/null; } # ok, timeout or refused
passes() { [ "$(asks)" = ok ]; }
refuses() { [ "$(asks)" != ok ]; }

# The rule `echo` is gone: what it admits is refused.
policies_make()
{
	policy_write "$work/open.yaml" enforce "$attach"
	sed '/id: echo,/d' "$work/open.yaml" >"$work/closed.yaml"
	# Another size: new programs and maps beside the old ones.
	for i in $(seq 3000); do
		echo "  - {id: r$i, direction: egress, peer: [10.$((i % 100 + 100)).$((i / 100)).0/24], ports: [$((i + 2000))/tcp], action: allow}"
	done >"$work/rules"
	sed "/^rules:/r $work/rules" "$work/closed.yaml" >"$work/large.yaml"
}

# Nothing before it: all packets pass again.
first_change()
{
	succeeds "$kind: a first change" fr "$host" apply "$work/closed.yaml" --confirm 1 $options
	succeeds "$kind: ends in no policy" until_true passes
	fr_exits "$kind: confirm is late" 7 "$host" confirm
	matches "$kind: and says so" 'is over, it was rolled back' "$said"
	equal "$kind: nothing is left" '' "$(pins_left)"
}

# FILE
rolled_back()
{
	local rules
	succeeds "$kind, $1: the policy before" fr "$host" apply "$work/open.yaml" --allow-removal $options
	succeeds "$kind, $1: passes" until_true passes
	rules=$(rule_field "$host" echo connections)
	succeeds "$kind, $1: a change" fr "$host" apply "$work/$1.yaml" --confirm 600 --allow-removal $options
	succeeds "$kind, $1: refuses" until_true refuses
	matches "$kind, $1: status counts down" 'change [0-9]+ waits for its confirmation: in [0-9]+ min' "$(fr "$host" status)"
	fr_exits "$kind, $1: another one is refused" 1 "$host" apply "$work/open.yaml" $options
	matches "$kind, $1: with the reason" 'waits for its confirmation' "$said"
	succeeds "$kind, $1: more time" fr "$host" extend 1h
	fr_exits "$kind, $1: too much of it" 1 "$host" extend 24h
	succeeds "$kind, $1: cancel" fr "$host" cancel
	succeeds "$kind, $1: passes again at once" passes
	fr_exits "$kind, $1: there is nothing left to confirm" 7 "$host" confirm
	succeeds "$kind, $1: a change for a second" fr "$host" apply "$work/$1.yaml" --confirm 1 --allow-removal $options
	succeeds "$kind, $1: ends by itself" until_true passes
	matches "$kind, $1: status says so before any command has cleaned up" '^enforce [0-9]+ confirm 0$' "$(state)"
	matches "$kind, $1: with the time" 'was rolled back at 20' "$(fr "$host" status e2e)"
	equal "$kind, $1: its rules are named" echo "$(listed echo)"
	at_least "$kind, $1: and count on" $((rules + 1)) "$(rule_field "$host" echo connections)"
	fr_exits "$kind, $1: confirm is late" 7 "$host" confirm
	succeeds "$kind, $1: the same change" fr "$host" apply "$work/$1.yaml" --confirm 600 --allow-removal $options
	succeeds "$kind, $1: confirmed" fr "$host" confirm e2e
	succeeds "$kind, $1: stays" refuses
	matches "$kind, $1: as any other" '^enforce [0-9]+ null 0$' "$(state)"
}

# The policy that a roll-back puts in force, without the pin of its image: it still refuses, and no command
# takes it for none.
image_lost()
{
	succeeds "$kind: a policy that refuses" fr "$host" apply "$work/closed.yaml" --allow-removal $options
	succeeds "$kind: one that admits, for a second" fr "$host" apply "$work/open.yaml" --confirm 1 $options
	rm "$LAB_DIR/bpf/flowreeve/e2e"/e*/image-"$(fr_ask "$host" .policies[0].pending.generation_after status)"
	succeeds "$kind: the image that is in force again is not pinned" until_true refuses
	fr_exits "$kind: status does not say that there is none" 1 "$host" status
	matches "$kind: but that it is not known" 'pins-broken' "$said"
	fr_exits "$kind: confirm neither" 1 "$host" confirm e2e
	succeeds "$kind: still refused" refuses
	succeeds "$kind: detach heals" fr "$host" detach
}

# monitor goes back with the policy. FILE
watched()
{
	local before log="$LAB_DIR/log/watcher-$kind"
	succeeds "$kind: a policy to go back to" fr "$host" apply "$work/open.yaml" --allow-removal $options
	before=$(digest)
	lab_spawn "watcher-$kind" "$host" "$FLOWREEVE" monitor --json --pin-root "$LAB_DIR/bpf/flowreeve"
	succeeds "$kind: an event has its digest" until_true event_of "$before"
	succeeds "$kind: a change" fr "$host" apply "$work/closed.yaml" --confirm 600 --allow-removal $options
	succeeds "$kind: an event has that of the change" until_true event_of "$(digest)"
	succeeds "$kind: cancel" fr "$host" cancel
	succeeds "$kind: an event has the digest of the policy before" until_true event_of "$before"
	succeeds "$kind: a change for a second" fr "$host" apply "$work/closed.yaml" --confirm 1 --allow-removal $options
	succeeds "$kind: which ends" until_true passes
	succeeds "$kind: an event has the digest of the policy before again" until_true event_of "$before"
	lab_stop "watcher-$kind"
}

digest() { fr_ask "$host" '.policies[0].digest' status; }
event_of() # DIGEST
{
	peer_try "$party" tcp 10.66.0.66 4444 --wait 0.3 >/dev/null 2>&1
	[ "$(tail -n 1 "$log" | jq -r .digest)" = "$1" ]
}

# Enforcement that becomes audit by itself.
until_time()
{
	succeeds "$kind: until a time" fr "$host" apply "$work/closed.yaml" --until 1h --allow-removal $options
	succeeds "$kind: it refuses" until_true refuses
	matches "$kind: status says until when" 'enforcement ends and audit begins' "$(fr "$host" status e2e)"
	fr_exits "$kind: nothing is to confirm" 1 "$host" confirm
	succeeds "$kind: for a second" fr "$host" apply "$work/closed.yaml" --until 1s $options
	succeeds "$kind: then everything passes" until_true passes
	matches "$kind: as audit" '^audit [0-9]+ until 0$' "$(state)"
	succeeds "$kind: and is reported" until_true would_drop
	succeeds "$kind: show policy is that of then" fr "$host" show policy e2e
	equal "$kind: coverage takes it for what runs" runs "$(fr_ask "$host" '.policies[0].source_state' coverage)"
	equal "$kind: and the file too" runs "$(fr_ask "$host" '.policies[0].source_state' coverage e2e --source "$work/closed.yaml")"
	succeeds "$kind: a later change enforces again" fr "$host" apply "$work/closed.yaml" $options
	succeeds "$kind: for good" until_true refuses
}

would_drop() { [ "$(fr_ask "$host" '[.drops[] | select(.verdict == "would-drop" and .peer.port == 7)] | length' show drops)" -gt 0 ]; }

confirm_run() # KIND
{
	e2e_kind "$1"
	policies_make
	first_change
	rolled_back closed
	rolled_back large
	watched
	until_time
	image_lost
}

e2e_begin confirm
peer_start nfs echo --udp 7
confirm_run interface
confirm_run guest
confirm_run cgroup
