#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A host that the commit before protects gets this build, under traffic: one apply takes over the running policy.
# No refused packet gets through, no allowed connection is cut, flows and figures go on; killed at any instant the
# policy is whole, old or new, and the next apply repairs the rest. Two commits are built from git: that before
# changes had deadlines (or UPGRADE_FROM), and the first that this build takes over. SOAK=1, of `make soak`: the last
# one of each layout as well.
#
# lesson: "detach, then apply" opens the host at every upgrade, and cuts connections that began
# meanwhile.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/sessions.sh"

# ---------------------------------------------------------------- the commit before

in_git() { git -c safe.directory="$e2e_top" -C "$e2e_top" "$@"; }

without_deadlines=d4fd5dc66c05 layout_2=2086cba8acd9

layout_last() # LAYOUT: its last commit
{
	in_git log --format=%H -S"#define FR_ABI_VERSION $(($1 + 1))" -- bpf/abi.h | sed -n '$s/$/^/p'
}

before_build() # COMMIT -> before, the program
{
	local commit
	commit=$(in_git rev-parse --verify "${1:-none}^{commit}") || {
		not_ok 'the commit before is in this clone' 'git fetch --unshallow'
		exit 1
	}
	rm -rf "$work/before"
	mkdir "$work/before"
	succeeds "the commit before is taken from git: $commit" eval "in_git archive $commit | tar -xC '$work/before'"
	succeeds 'and builds' env -u MAKEFLAGS CFLAGS=-O0 make -s -j"$(nproc)" -C "$work/before" BUILD=build build/flowreeve
	before=$work/then/bin/before # which finds the tables of its own commit
	rm -rf "$work/then"
	mkdir -p "$work/then/bin"
	cp "$work/before/build/flowreeve" "$before" && cp -r "$work/before/policies/tables" "$work/then/tables" &&
		chmod -R a+rX "$work/then" || exit 1
}

# apply, without the editions, of which it knows nothing
fr_before()
{
	local status
	sed -i.now '/^ *edition: /d' "$work/upgrade.yaml"
	FLOWREEVE=$before fr "$@" --tables "$work/then/tables"
	status=$?
	mv "$work/upgrade.yaml.now" "$work/upgrade.yaml"
	return $status
}
ask_before() { FLOWREEVE=$before fr_ask "$@"; }

# ---------------------------------------------------------------- traffic

streams_start()
{
	traffic_start allowed "$party" stream 10.20.0.5 7 0.005
	traffic_start out "$party" transfer 10.0.5.10 1024
	traffic_start in bastion transfer "$party4" 22022
	sessions_start good-out "$party" client 10.20.0.5 7 60
	sessions_start good-in bastion client "$party4" 22022 60
}

refused_start()
{
	traffic_start denied "$party" stream 10.66.0.66 4444 0.005
	sessions_start bad-out "$party" client 10.66.0.66 4444 0.6 1
	sessions_start bad-in intruder client "$party4" 8080 0.6 1
}

streams_end() # WHAT
{
	local sent answered
	traffic_end allowed
	read -r _ sent _ answered <<<"$said"
	equal "$1: no allowed datagram was lost" "$sent" "$answered"
	traffic_end out
	matches "$1: a connection that was open goes on" '^lines [0-9]+$' "$said"
	traffic_end in
	matches "$1: so does one that was opened from outside" '^lines [0-9]+$' "$said"
	matches "$1: no new connection failed" '^ok [1-9][0-9]* failed 0 ' "$(sessions_ask good-out end)"
	matches "$1: none from outside either" '^ok [1-9][0-9]* failed 0 ' "$(sessions_ask good-in end)"
	sessions_stop good-out good-in
}

refused_end() # WHAT
{
	traffic_end denied
	matches "$1: no refused datagram got through" '^sent [0-9]+ received 0$' "$said"
	matches "$1: no refused connection did" '^ok 0 failed [1-9]' "$(sessions_ask bad-out end)"
	matches "$1: none from outside either" '^ok 0 failed [1-9]' "$(sessions_ask bad-in end)"
	sessions_stop bad-out bad-in
}

# Only its flow vouches for a packet to a socket that is not connected.
fed_start()
{
	rm -f "$work/fed.end"
	lab_in "$party" "$e2e_here/tools/sessions" fed 10.20.0.5 7 "$work/fed.end" >"$work/fed" 2>&1 &
	traffic_pids[fed]=$!
	until_true says "$work/fed" '^begun' || not_ok "$kind: the peer sends" "$(cat "$work/fed")"
}

# ---------------------------------------------------------------- one upgrade

figures() { fr_ask "$host" "$1" "${@:2}"; }
connection_known() { figures '[.flows[] | select(.peer.port == 1024 and .state == "established")] | length' show flows; }

refuses_to_read()
{
	fr_exits "$kind: a command that only reads asks for apply" 1 "$host" status
	matches "$kind: of the layout" 'have layout [0-9]+, but this flowreeve reads layout [0-9]+ \[pins-version\]' "$said"
	hint=$(sed -n 's/^ *| //p' <<<"$said" | head -n 1)
	matches "$kind: and of a command that opens nothing" '^flowreeve apply --mode [a-z]+ .*/upgrade.yaml$' "$hint"
}

paste() # COMMAND
{
	ln -sf "$FLOWREEVE" "$work/flowreeve"
	lab_enter "$host" env PATH="$work:$PATH" timeout -s KILL 60 sh -c "$1"
}

# The output of the build before, for comparison. -> connections
figures_before()
{
	connections=$(ask_before "$host" '[.policies[].rules[] | select(.id == "echo") | .connections] | add' show rules)
	at_least "$kind: it has counted" 1 "$connections"
	equal "$kind: and knows the connection" 1 "$(FLOWREEVE=$before connection_known)"
}

goes_on() # MODE
{
	equal "$kind: in force, without fault" "$1 $([ "$1" = enforce ] && echo true || echo false) 0" \
		"$(figures '.policies[] | "\(.mode) \(.enforcing) \(.faults)"' status)"
	equal "$kind: nobody of before is left beside it" 0 "$(figures '[.policies[0].hooks[].neighbours[]] | length' status)"
	at_least "$kind: the figures of rules go on" "$connections" "$(rule_field "$host" echo connections)"
	equal "$kind: the connection was carried over, and not adopted" 1 "$(connection_known)"
}

refuses_before()
{
	said=$(fr_before "$host" apply "$work/upgrade.yaml" $options 2>&1)
	equal "$kind: the build before does not take it back" 1 $?
	matches "$kind: and says why" 'layout [0-9]+, (but )?this flowreeve (reads layout|knows) [0-9]+ \[pins-version\]' "$said"
}

takes_over() # MODE: by the command that who looks is given
{
	local hint
	refuses_to_read
	said=$(paste "${hint:-false}" 2>&1)
	equal "$kind: which takes over" 0 $?
	matches "$kind: and says what goes on" 'flows and .* counters .* are kept, .*\[taken-over\]' "$said"
	goes_on "$1"
}

upgrade_run() # KIND
{
	local connections
	e2e_kind "$1"
	policy_write "$work/upgrade.yaml" enforce "$attach"
	peer_start "$party" "admin-$kind" 22022
	peer_start "$party" "forgotten-$kind" 8080
	succeeds "$kind: the build before enforces" fr_before "$host" apply "$work/upgrade.yaml" $options
	streams_start
	refused_start
	fed_start
	until_true sessions_fits good-out judge '^ok [1-9]'
	figures_before
	takes_over enforce
	touch "$work/fed.end"
	streams_end "$kind"
	refused_end "$kind"
	traffic_end fed
	matches "$kind: what one peer sends on was heard all along" '^heard [1-9]' "$said"
	refuses_before
	equal "$kind: no datagram of his was refused" 0 "$(figures '[.drops[] | select(.verdict == "drop" and
		.protocol == "udp" and .peer.address == "10.20.0.5")] | length' show drops)"
	succeeds "$kind: detach" fr "$host" detach
	equal "$kind: and nothing is left" '' "$(pins_left)"
	lab_stop "peer-admin-$kind"
	lab_stop "peer-forgotten-$kind"
}

# In audit, packets that would be refused go on passing, and go on being counted.
audit_run()
{
	local connections
	e2e_kind interface
	kind=audit
	policy_write "$work/upgrade.yaml" audit "$attach"
	succeeds "$kind: the build before" fr_before "$host" apply "$work/upgrade.yaml"
	streams_start
	sessions_start bad-out "$party" client 10.66.0.66 4444 60
	until_true sessions_fits bad-out judge '^ok [1-9]'
	until_true sessions_fits good-out judge '^ok [1-9]'
	figures_before
	takes_over audit
	streams_end "$kind"
	matches "$kind: what would be refused passes" '^ok [1-9][0-9]* failed 0 ' "$(sessions_ask bad-out end)"
	at_least "$kind: and is counted" 1 "$(drops_of "$host" would-drop egress 10.66.0.66 4444)"
	sessions_stop bad-out
	succeeds "$kind: detach" fr "$host" detach
}

# ---------------------------------------------------------------- killed

# Calls that change anything, spread: numbers among all calls of bpf(2). -> calls, and the ones after the first link,
# after the commit point and after the first of the old links has gone
instants() # COUNT
{
	lab_enter agent strace -f -qq -o "$work/trace" -e trace=bpf "$FLOWREEVE" apply "$work/upgrade.yaml" \
		--pin-root "$LAB_DIR/bpf/flowreeve" >"$work/apply" 2>&1 || not_ok 'traced, it takes over' "$(cat "$work/apply")"
	calls=$(awk -v count="$1" '
		/OBJ_PIN|LINK_CREATE|LINK_DETACH|MAP_UPDATE|MAP_DELETE|PROG_TEST_RUN/ { at[n++] = NR }
		END { for (i = 0; i < count; i++) print at[int(i * n / count)] }' "$work/trace")
	read -r attached flipped swept < <(awk '
		/OBJ_PIN.*\/link-/ && !attached { attached = NR + 1 }
		/MAP_UPDATE/ && !swept { flipped = NR + 1 }
		/LINK_DETACH/ && !swept { swept = NR + 1 }
		END { print attached, flipped, swept }' "$work/trace")
}

killed_apply() # INSTANT
{
	lab_enter agent strace -f -qq -o "$work/trace" -e trace=bpf -e "inject=bpf:signal=SIGKILL:when=$1" \
		"$FLOWREEVE" apply "$work/upgrade.yaml" --pin-root "$LAB_DIR/bpf/flowreeve" >/dev/null 2>&1
}

# old, new, or the fault.
state_of()
{
	local new
	new=$(fr_ask agent '.policies[] | "\(.enforcing) \(.faults)"' status)
	if [ "$new" = 'true 0' ]; then
		echo new
	elif [ "$(ask_before agent '.policies[] | "\(.enforcing) \(.faults)"' status)" = 'true 0' ]; then
		echo old
	else
		echo "neither old nor new: '$new'"
	fi
}

# -> state; a fault goes to bad.
killed_round() # INSTANT
{
	local out in
	(killed_apply "$1") 2>/dev/null
	state=$(state_of)
	out=$(LAB_WAIT=20 peer_try agent tcp 10.20.0.5 7)
	in=$(LAB_WAIT=20 peer_try bastion tcp 10.0.5.5 22022)
	[[ $state = old || $state = new ]] && [ "$out $in" = 'ok ok' ] || bad="$bad; call $1, $state: out $out, in $in"
}

killed_run()
{
	local old=0 bad='' state calls instant
	e2e_kind interface
	kind=killed
	policy_write "$work/upgrade.yaml" enforce "$attach"
	fr_before agent apply "$work/upgrade.yaml" >/dev/null 2>&1
	instants "$1"
	succeeds "$kind: detach" fr agent detach
	succeeds "$kind: the build before enforces again" fr_before agent apply "$work/upgrade.yaml"
	streams_start
	refused_start
	for instant in $calls; do
		killed_round "$instant"
		[ "$state" = new ] || old=$((old + 1))
	done
	equal "$kind: what is left is the old state or the new one, whole, and opens connections" '' "$bad"
	at_least "$kind: some were killed before the commit point" 2 "$old"
	succeeds "$kind: the next apply heals" fr agent apply "$work/upgrade.yaml"
	equal "$kind: and what it says holds" 'true 0' "$(fr_ask agent '.policies[] | "\(.enforcing) \(.faults)"' status)"
	equal "$kind: nobody else is left beside it" '3 0' \
		"$(fr_ask agent '.policies[0].hooks | "\(length) \([.[].neighbours[]] | length)"' status)"
	equal "$kind: one set of maps is left" 1 "$(find "$LAB_DIR/bpf/flowreeve/e2e" -mindepth 1 -maxdepth 1 -name 'e[0-9]*' | wc -l)"
	streams_end "$kind"
	refused_end "$kind"
}

# At the important instants: the policy in force, and that detach removes all of it.
half_way_run()
{
	local instant bad='' state
	fr agent detach >/dev/null 2>&1
	for instant in "none old" "$attached old" "$flipped new" "$swept new"; do
		kind="half way, ${instant% *}"
		succeeds "$kind: the build before enforces" fr_before agent apply "$work/upgrade.yaml"
		[ "${instant% *}" = none ] || {
			killed_round "${instant% *}"
			equal "$kind: what is left" "${instant#* } " "$state $bad"
			tries "$kind: it refuses" timeout peer_try agent tcp 10.66.0.66 4444
		}
		succeeds "$kind: detach takes it off" fr agent detach
		equal "$kind: and leaves nothing" '' "$(pins_left)"
		equal "$kind: neither programs" '' "$(lab_enter agent bpftool net show 2>&1 | grep fr_)"
	done
}

# Killed between the two halves of the command: the first one keeps the end.
until_run()
{
	local bad='' state
	"$before" apply --help | grep -q -e --until || return 0
	e2e_kind interface
	kind=until
	policy_write "$work/upgrade.yaml" enforce "$attach"
	succeeds "$kind: the build before enforces until a time" fr_before agent apply "$work/upgrade.yaml" --until 1h
	instants 1
	equal "$kind: apply without an end has none" enforce,null \
		"$(fr_ask agent '.policies[0] | "\(.mode),\(.pending.kind)"' status)"
	succeeds "$kind: detach" fr agent detach
	succeeds "$kind: the build before does so again" fr_before agent apply "$work/upgrade.yaml" --until 1h
	killed_round "$flipped"
	equal "$kind: the new state" "new$bad" "$state"
	equal "$kind: with the end" until,true,true \
		"$(fr_ask agent '.policies[0].pending | "\(.kind),\(.seconds_left > 3000),\(.seconds_left <= 3600)"' status)"
	succeeds "$kind: detach" fr agent detach
}

# Each call in turn, of those that are taken: see tools/one-error.
errors_run()
{
	local every=''
	[ -z "${SOAK:-}" ] || every=--every
	beside_two_devices "$work/errors" "$e2e_here/tools/one-error" "$FLOWREEVE" "$work/errors" upgrade upgradecarry \
		--before="$before" $every || not_ok 'errors: of each call'
}

e2e_begin upgrade
before_build "${UPGRADE_FROM:-$without_deadlines}"
peer_start nfs echo 7
sessions_start serve nfs serve 7
peer_start vpc control 10.0.5.10 1024
peer_start intruder stranger 4444
peer_start intruder stranger-udp --udp 4444
for kind in interface clsact guest cgroup; do
	upgrade_run $kind
done
LAB_CGROUP='' LAB_CGROUP_NODE=''
peer_start agent admin 22022
peer_start agent forgotten 8080
audit_run
killed_run $((12 / ${FLOWREEVE_TEST_THIN:-1} + 2))
half_way_run
until_run
errors_run
[ -n "${UPGRADE_FROM:-}" ] || {
	before_build $layout_2
	upgrade_run interface
}
for layout in ${SOAK:+3 4 5 7}; do
	before_build "$(layout_last "$layout")"
	upgrade_run interface
	until_run
done
