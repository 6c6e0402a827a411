#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Attaching to a busy host: enforce is applied while connections live. What the policy allows goes on,
# what it denies is cut, a change of policy judges old connections anew, and a killed apply leaves the
# old policy or the new one, whole.
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
		"$(awk '/^lines/ { print ($4 < 1000) }' "$work/transfer-allowed")"
	matches "$name: so does one that the peer opened" '^lines [0-9]+' "$(cat "$work/transfer-inward")"
	matches "$name: a denied one is cut" 'broke' "$(cat "$work/transfer-denied")"
	matches "$name: one whose rule is gone is cut too" 'broke' "$(cat "$work/transfer-changing")"
	at_least "$name: the adopted ones are counted" 1 \
		"$(fr_ask "$host" '.policies[0].tallies.flows_adopted' status)"
	succeeds "$name: detach" fr "$host" detach
}

# SIGKILL at a random moment; after it the first policy or the second is in force and holds.
killed_run()
{
	local i states='' state verdict bad=0
	policy_write "$work/one.yaml" enforce '{interfaces: [ens5]}'
	policy_write "$work/two.yaml" enforce '{interfaces: [ens5]}'
	sed -i 's/ports: \[9\/tcp\]/ports: [10\/tcp]/' "$work/two.yaml"
	for i in $(seq 12); do
		lab_enter agent timeout -s KILL "0.$(printf %03d $((RANDOM % 60 + 1)))" "$FLOWREEVE" apply "$work/one.yaml" \
			--pin-root "$LAB_DIR/bpf/flowreeve" >/dev/null 2>&1
		state=$(fr_ask agent '.policies | length' status)
		verdict=$(peer_try agent tcp 10.66.0.66 4444 --wait 0.3)
		case "$state $verdict" in
		'0 ok' | '1 timeout') ;;
		*) bad=$((bad + 1)) states="$states; $state policies, the stranger: $verdict" ;;
		esac
		[ "$state" = 0 ] || fr agent detach >/dev/null 2>&1
	done
	equal 'a first apply that is killed leaves nothing or all' "0 " "$bad $states"
	succeeds 'after that, apply works' fr agent apply "$work/one.yaml"
	bad=0 states=
	for i in $(seq 20); do
		lab_enter agent timeout -s KILL "0.$(printf %03d $((RANDOM % 60 + 1)))" "$FLOWREEVE" apply \
			"$work/$([ $((i % 2)) = 0 ] && echo one || echo two).yaml" \
			--pin-root "$LAB_DIR/bpf/flowreeve" >/dev/null 2>&1
		state=$(fr_ask agent '.policies[0] | "\(.enforcing) \(.faults)"' status)
		verdict="$(peer_try agent tcp 10.66.0.66 4444 --wait 0.2) $(peer_try agent tcp 10.0.5.10 1024 --wait 0.5)"
		[ "$state $verdict" = 'true 0 timeout ok' ] || bad=$((bad + 1)) states="$states; $state $verdict"
	done
	equal 'a killed apply leaves the old policy or the new one, in force' '0 ' "$bad $states"
	succeeds 'after that, apply still works' fr agent apply "$work/two.yaml"
	succeeds 'and detach' fr agent detach
	equal 'and nothing is left of the killed ones' '' "$(lab_enter agent bpftool net show 2>&1 | grep fr_)"
	equal 'neither pins' '' "$(pins_left)"
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
killed_run
