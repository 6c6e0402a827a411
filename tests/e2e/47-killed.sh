#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# An apply that is killed at any instant, under traffic, leaves the old policy or the new one, whole: no
# allowed datagram is lost, no denied one slips through, status is coherent, and the next apply repairs
# the rest.
#
# lesson: in other firewalls a change that died half way left neither the old rules nor the new ones, or
# both, and leftovers that made the next start fail.
. "$(dirname "$0")/lib.sh"

firsts=8 rounds=24

# SIGKILL after a random time. MILLISECONDS-AT-MOST FILE
killed_apply()
{
	lab_enter agent timeout -s KILL "0.$(printf %03d $((RANDOM % $1 + 1)))" "$FLOWREEVE" apply "$2" \
		--pin-root "$LAB_DIR/bpf/flowreeve" >/dev/null 2>&1
}

policies_write()
{
	local name i
	for name in one two large; do
		policy_write "$work/$name.yaml" enforce '{interfaces: [ens5]}'
	done
	# Same rules but for one: a new generation. Many more: a new set of programs and maps as well.
	sed -i 's/ports: \[9\/tcp\]/ports: [10\/tcp]/' "$work/two.yaml"
	for i in $(seq 2000); do
		echo "  - {id: r$i, direction: egress, peer: [10.$((i % 100 + 100)).$((i / 100)).0/24], ports: [$((i + 2000))/tcp], action: allow}"
	done >"$work/rules"
	sed -i "/^rules:/r $work/rules" "$work/large.yaml"
}

first_applies()
{
	local states='' state verdict bad=0
	for _ in $(seq $firsts); do
		killed_apply 60 "$work/one.yaml"
		state=$(fr_ask agent '.policies | length' status)
		verdict=$(LAB_WAIT=$([ "$state" = 0 ] && echo 20 || echo 0.3) peer_try agent tcp 10.66.0.66 4444)
		case "$state $verdict" in
		'0 ok' | '1 timeout') ;;
		*) bad=$((bad + 1)) states="$states; $state policies, the stranger: $verdict" ;;
		esac
		[ "$state" = 0 ] || fr agent detach >/dev/null 2>&1
	done
	equal 'a first apply that is killed leaves nothing or all' "0 " "$bad $states"
}

streams_end()
{
	local sent answered
	traffic_end denied
	matches 'no denied datagram slipped through' '^sent [0-9]+ received 0$' "$said"
	traffic_end allowed
	read -r _ sent _ answered <<<"$said"
	equal 'no allowed datagram was lost' "$sent" "$answered"
	at_least 'one datagram a round, at the least' $rounds "$sent"
}

# One killed change and the status after it: in force, whole, this generation or the next.
killed_round() # NUMBER
{
	local files=(one two large) state
	killed_apply 120 "$work/${files[$1 % 3]}.yaml"
	state=$(fr_ask agent '.policies[] | "\(.policy) \(.enforcing) \(.faults) \(.generation)"' status)
	case $state in
	"e2e true 0 $generation") kept=$((kept + 1)) ;;
	"e2e true 0 $((generation + 1))") generation=$((generation + 1)) ;;
	*) bad="$bad; round $1: $state" ;;
	esac
	fr agent show policy >/dev/null 2>&1 || bad="$bad; round $1: no document"
}

replacements()
{
	local generation kept=0 bad='' i
	generation=$(fr_ask agent '.policies[0].generation' status)
	traffic_start allowed agent stream 10.20.0.5 7 0.005
	traffic_start denied intruder stream 10.0.5.5 8081 0.005
	for i in $(seq $rounds); do
		killed_round "$i"
	done
	equal 'a killed apply leaves the old policy or the new one, in force and without fault' '' "$bad"
	at_least 'some were killed in time' 1 "$kept"
	succeeds 'the allowed stream ran all along' traffic_runs allowed
	succeeds 'so did the denied one' traffic_runs denied
	succeeds 'the next apply heals' fr agent apply "$work/two.yaml"
	equal 'and what it says holds' 'true 0' "$(fr_ask agent '.policies[] | "\(.enforcing) \(.faults)"' status)"
	equal 'one program each way is attached, and one for local sockets' '3 0' \
		"$(fr_ask agent '.policies[0].hooks | "\(length) \([.[].neighbours[]] | length)"' status)"
	equal 'one set of maps is left' 1 "$(find "$LAB_DIR/bpf/flowreeve/e2e" -mindepth 1 -maxdepth 1 -name 'e[0-9]*' | wc -l)"
	streams_end
}

# Between two tables of flows: traffic that one attach point lets out, the other lets in. Killed after each call
# that changes an attachment, and once in force, and each time from one table to the next.
table_rounds()
{
	local calls call room=4096 bad='' table=(--pin-root "$LAB_DIR/bpf/flowreeve" "$work/two.yaml" --flows)
	succeeds 'another table' lab_enter agent strace -f -qq -o "$work/trace" -e trace=bpf "$FLOWREEVE" apply "${table[@]}" $room
	calls=$(awk '/LINK_UPDATE|OBJ_PIN.*\/link-/ { print NR + 1 } /MAP_UPDATE/ { last = NR + 1 } END { print last }' "$work/trace")
	at_least 'each attach point changes over' 6 "$(wc -w <<<"$calls")"
	for call in $calls; do
		room=$((12288 - room))
		(lab_enter agent strace -f -qq -o "$work/trace" -e trace=bpf -e "inject=bpf:signal=SIGKILL:when=$call" \
			"$FLOWREEVE" apply "${table[@]}" $room >/dev/null 2>&1) 2>/dev/null
		[ "$(LAB_WAIT=20 peer_try agent tcp 10.20.0.5 7)" = ok ] || bad="$bad; call $call: nothing opens"
		[ "$(LAB_WAIT=0.3 peer_try agent tcp 10.66.0.66 4444)" = timeout ] || bad="$bad; call $call: open"
		fr agent status --query || grep -q '^ *| flowreeve apply ' <<<"$(fr agent verify 2>&1)" || bad="$bad; call $call: no word of what heals"
	done
	equal 'killed between two tables, connections open, and no refused one does' '' "$bad"
	succeeds 'apply heals' fr agent apply "$work/two.yaml" --flows 4096
	equal 'and one program each way is attached' '3 0' \
		"$(fr_ask agent '.policies[0].hooks | "\(length) \([.[].neighbours[]] | length)"' status)"
}

e2e_begin killed
peer_start nfs echo --udp 7
peer_start nfs echo-tcp 7
peer_start intruder stranger 4444
peer_start agent forgotten-udp --udp 8081
policies_write
first_applies
succeeds 'after that, apply works' fr agent apply "$work/one.yaml"
replacements
table_rounds
ids=$(fr_ask agent '.policies[].hooks[].program' status | sort -u)
succeeds 'and detach' fr agent detach
equal 'and its programs are gone' '' "$(programs_left $ids)"
equal 'and nothing is left of the killed ones' '' "$(lab_enter agent bpftool net show 2>&1 | grep fr_)"
equal 'neither pins' '' "$(pins_left)"
