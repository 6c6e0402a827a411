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

figure() { fr_ask "$host" ".policies[0].pending.$1" status; }
left_is_less() { local now; now=$(figure seconds_left) && [ "$now" -lt "$1" ]; } # THAN

# The command and its monitor run in a namespace of processes whose first one ends: the kernel kills the rest.
killed_all()
{
	local left
	succeeds "$kind: the policy before" fr "$host" apply "$work/open.yaml" $options
	succeeds "$kind: passes" until_true passes
	# shellcheck disable=SC2016
	succeeds "$kind: a change by processes that are all killed" lab_enter "$host" unshare --pid --fork sh -c '
		"$@" || exit 1
		"$1" monitor --pin-root "$LAB_DIR/bpf/flowreeve" >/dev/null & sleep 600 &
		kill -0 $! || exit 1' sh "$FLOWREEVE" apply "$work/closed.yaml" --confirm 20 $options --pin-root "$LAB_DIR/bpf/flowreeve"
	succeeds "$kind: it refuses" until_true refuses
	left=$(figure seconds_left)
	succeeds "$kind: status counts down from $left s" until_true left_is_less "$left"
	succeeds "$kind: the kernel rolls it back" until_true passes
	matches "$kind: status says so, and when" 'change [0-9]+ was rolled back at 20[0-9]{2}-' "$(fr "$host" status e2e)"
	equal "$kind: and for how long it waits now" 0 "$(figure seconds_left)"
}

# The clock of the process has an offset, and the file that says so cannot be read.
other_clock()
{
	succeeds "$kind: a change for an hour" fr "$host" apply "$work/closed.yaml" --confirm 1h $options
	# shellcheck disable=SC2016
	said=$(lab_enter "$host" unshare --mount --time --boottime=100000 --fork sh -c '
		mount --bind /dev/null /proc/$$/timens_offsets && exec "$@"' sh "$FLOWREEVE" status --json \
		--pin-root "$LAB_DIR/bpf/flowreeve" | jq .policies[0].pending.seconds_left)
	matches "$kind: seen with another boot clock" '^(3[0-5][0-9][0-9]|3600)$' "$said"
	succeeds "$kind: cancelled" fr "$host" cancel
}

# Of the change that waits: what another command would undo or lose.
while_it_waits()
{
	succeeds "$kind: the policy before" fr "$host" apply "$work/open.yaml" $options
	succeeds "$kind: a change" fr "$host" apply "$work/closed.yaml" --confirm 600 $options
	fr_exits "$kind: zero is refused" 1 "$host" zero
	matches "$kind: because a roll-back would undo it" 'waits for its confirmation' "$said"
	succeeds "$kind: cancel" fr "$host" cancel
	succeeds "$kind: the policy in force, with --confirm" fr "$host" apply "$work/open.yaml" --confirm 600 $options
	succeeds "$kind: can be confirmed" fr "$host" confirm
	sed 's/^mode: enforce/mode: audit/' "$work/open.yaml" >"$work/audit.yaml"
	fr_exits "$kind: a change that would weaken it" 3 "$host" apply "$work/audit.yaml" --confirm 600 $options
	matches "$kind: the hint has the end" '^ *\| flowreeve apply .*--confirm 600 .*audit.yaml' "$said"
	fr_exits "$kind: with another end" 3 "$host" apply "$work/audit.yaml" --confirm=10m $options
	matches "$kind: that one" '--confirm 10m ' "$said"
}

# A flow of a rule that is gone with the roll-back, and a later rule.
names_after()
{
	sed 's/^rules:/&\n  - {id: early, direction: egress, peer: [10.20.0.5], ports: [4001\/udp], action: allow}/' "$work/open.yaml" >"$work/early.yaml"
	sed 's/^rules:/&\n  - {id: late, direction: egress, peer: [10.20.0.5], ports: [4002\/udp], action: allow}/' "$work/open.yaml" >"$work/late.yaml"
	succeeds "$kind: a rule more" fr "$host" apply "$work/early.yaml" --confirm 600 $options
	peer_try "$party" udp 10.20.0.5 4001 --wait 0.1 >/dev/null 2>&1
	equal "$kind: has a flow" early "$(rule_of_flow 4001)"
	succeeds "$kind: cancelled" fr "$host" cancel
	equal "$kind: the flow has its name" early "$(rule_of_flow 4001)"
	succeeds "$kind: another rule" fr "$host" apply "$work/late.yaml" $options
	equal "$kind: does not take the flow" early "$(rule_of_flow 4001)"
	equal "$kind: and the first is no rule of it" '' "$(listed early)"
	succeeds "$kind: as before" fr "$host" apply "$work/open.yaml" --allow-removal $options
}
rule_of_flow() { fr_ask "$host" '[.flows[] | select(.peer.port == '"$1"') | .rule] | first' show flows; }

# What a change leaves until the next command is not in the way of another policy.
other_policy()
{
	succeeds "$kind: detach" fr "$host" detach
	sed 's/name: e2e}/name: other}/' "$work/closed.yaml" >"$work/other.yaml"
	succeeds "$kind: the first change of another policy" fr "$host" apply "$work/other.yaml" --confirm 1 $options
	succeeds "$kind: ends" until_true passes
	succeeds "$kind: its attach points are free" fr "$host" apply "$work/open.yaml" $options
	equal "$kind: nothing of it is left" '' "$(find "$LAB_DIR/bpf/flowreeve/other" 2>/dev/null)"
}

# Two sets of programs are there, and the command that makes the roll-back final is killed after that.
killed_final()
{
	local id inject=trace=bpf final
	for _ in counted killed; do
		succeeds "$kind: a larger change" fr "$host" apply "$work/large.yaml" --confirm 1 --allow-removal $options
		id=$(figure id)
		succeeds "$kind: ends" until_true passes
		(lab_enter "$host" strace -f -qq -o "$work/trace" -e trace=bpf -e "$inject" "$FLOWREEVE" cancel \
			--pin-root "$LAB_DIR/bpf/flowreeve") >/dev/null 2>&1
		final=$(awk '/MAP_UPDATE/ { at = NR + 1 } END { print at }' "$work/trace")
		inject=inject=bpf:signal=SIGKILL:when=$final
	done
	equal "$kind: status still has the change" "confirm,$id" "$(figure kind),$(figure id)"
	fr_exits "$kind: confirm is late" 7 "$host" confirm
	succeeds "$kind: the next change" fr "$host" apply "$work/closed.yaml" --confirm 600 --allow-removal $options
	at_least "$kind: has a number of its own" $((id + 1)) "$(figure id)"
	succeeds "$kind: cancelled" fr "$host" cancel
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
	while_it_waits
	names_after
	[ "$kind" = guest ] || other_policy
	[ "$kind" != interface ] || {
		killed_all
		other_clock
		killed_final
	}
	succeeds "$kind: detach" fr "$host" detach
}

e2e_begin confirm
peer_start nfs echo --udp 7
confirm_run interface
confirm_run guest
confirm_run cgroup
