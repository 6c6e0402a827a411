# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Common parts of the end-to-end tests: a lab, a policy, the kinds of attach points, assertions, and
# queries of a running flowreeve. tests/e2e/NN-*.sh begin by sourcing it. Assertions print one line each
# and never stop the script.
set -uo pipefail

e2e_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
e2e_top=$(cd "$e2e_here/../.." && pwd)
e2e_built=${FLOWREEVE:-$e2e_top/${BUILD:-build}/flowreeve}
. "$e2e_top/scripts/lab"
. "$e2e_top/scripts/lab-servers"
. "$e2e_here/policy.sh"
LAB_CGROUP='' LAB_CGROUP_NODE=''

# ---------------------------------------------------------------- assertions

ok() { printf 'ok - %s\n' "$1"; }
not_ok() # WHAT [DETAIL]
{
	printf 'not ok - %s\n' "$1"
	[ -z "${2:-}" ] || printf '%s\n' "$2" | head -20 | sed 's/^/    # /'
	e2e_failed=1
}
skip() { printf 'skip - %s: %s\n' "$1" "$2"; } # WHAT REASON

equal() # WHAT EXPECTED ACTUAL
{
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "expected '$2', got '$3'"; fi
}

matches() # WHAT PATTERN TEXT: an extended regular expression, any line
{
	if grep -qE -- "$2" <<<"$3"; then ok "$1"; else not_ok "$1" "no line fits '$2' in: $3"; fi
}

at_least() # WHAT LEAST ACTUAL
{
	if [ "${3:-0}" -ge "$2" ]; then ok "$1"; else not_ok "$1" "expected at least $2, got '$3'"; fi
}

succeeds() # WHAT COMMAND...
{
	local what=$1 output
	shift
	if output=$("$@" 2>&1 | tr -d '\0'; exit "${PIPESTATUS[0]}"); then ok "$what"; else not_ok "$what" "$output"; fi
}

fails() # WHAT COMMAND...
{
	local what=$1 output
	shift
	if output=$("$@" 2>&1 | tr -d '\0'; exit "${PIPESTATUS[0]}"); then not_ok "$what" "$output"; else ok "$what"; fi
}

# Must fail by itself: its time limit kills a hanging command. WHAT COMMAND...
fails_at_once()
{
	local what=$1 output code
	shift
	output=$("$@" 2>&1 | tr -d '\0'; exit "${PIPESTATUS[0]}")
	code=$?
	case $code in
	0) not_ok "$what" "it succeeded: $output" ;;
	124 | 137) not_ok "$what" "it was killed by its limit: $output" ;;
	*) ok "$what" ;;
	esac
}

# Runs a command beside two devices of a network namespace of its own and a bpffs of its own, at DIR/bpf.
# DIR COMMAND...
beside_two_devices()
{
	mkdir -p "$1/bpf"
	unshare --net --mount bash -c '
		mount -t bpf -o mode=0700 bpf "$0/bpf" && ip link set lo up || exit 1
		for i in 0 1; do
			ip link add d$i type veth peer name e$i && ip addr add 10.9.$i.1/24 dev d$i &&
				ip link set d$i up && ip link set e$i up &&
				ip neigh add 10.9.$i.2 lladdr 02:00:00:00:00:01 dev d$i nud permanent || exit 1
		done
		exec "$@"' "$@"
}

# Until a command holds true, however busy the machine: COMMAND...; 1 after a minute
until_true()
{
	local i
	for i in $(seq 600); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	return 1
}

says() { grep -qE -- "$2" "$1"; } # FILE PATTERN

# An attempt waits long for an expected success, and shortly for an expected failure. WHAT EXPECTED
# COMMAND...
tries()
{
	local what=$1 expected=$2
	local -x LAB_WAIT=20
	shift 2
	[[ $expected != *timeout* ]] || LAB_WAIT=0.4
	equal "$what" "$expected" "$("$@")"
}

# ---------------------------------------------------------------- streams and transfers

# They begin before this returns and go on until they are stopped, however long the accompanied step takes.
# NAME NODE stream|transfer ADDRESS PORT [GAP or PATIENCE]
traffic_start()
{
	local name=$1 node=$2 verb=$3 address=$4 port=$5
	shift 5
	rm -f "$work/$name.end"
	lab_in "$node" timeout -s KILL 600 "$e2e_top/scripts/lab-peer" "$verb" "$address" "$port" "$work/$name.end" "$@" \
		>"$work/$name" 2>&1 &
	traffic_pids[$name]=$!
	until_true says "$work/$name" '^(begun|connected)$' || not_ok "the $verb $name begins" "$(cat "$work/$name")"
}

traffic_runs() { kill -0 "${traffic_pids[$1]}" 2>/dev/null; } # NAME

traffic_end() # NAME -> said, its last words
{
	touch "$work/$1.end"
	wait "${traffic_pids[$1]}"
	said=$(tail -n 1 "$work/$1")
}
declare -A traffic_pids=()

# So many datagrams: NODE ADDRESS PORT COUNT -> "sent N received N"
stream_count() { lab_in "$1" timeout -s KILL 600 "$e2e_top/scripts/lab-peer" stream "$2" "$3" "$4" | tail -n 1; }

# ---------------------------------------------------------------- the tool

# flowreeve in a node, with the lab's pins; never longer than two minutes.
fr() # NODE VERB...
{
	local node=$1
	shift
	lab_enter "$node" timeout -s KILL 120 "$FLOWREEVE" "$@" --pin-root "$LAB_DIR/bpf/flowreeve"
}

# Exit code, and everything printed. WHAT EXPECTED-CODE NODE VERB...: leaves the text in $said
fr_exits()
{
	local what=$1 expected=$2 code
	shift 2
	said=$(fr "$@" 2>&1)
	code=$?
	if [ "$code" = "$expected" ]; then ok "$what"; else not_ok "$what" "exit $code instead of $expected: $said"; fi
}

# One value of a JSON document: NODE FILTER VERB...
fr_ask()
{
	local node=$1 filter=$2
	shift 2
	fr "$node" "$@" --json 2>/dev/null | jq -r "$filter" 2>&1
}

# A field of a rule, summed over its directions; -1 when there is no answer. NODE RULE FIELD
rule_field()
{
	local figure
	figure=$(fr_ask "$1" "[.policies[].rules[] | select(.id == \"$2\") | .$3] | add" show rules)
	[[ $figure =~ ^[0-9]+$ ]] || figure=-1
	echo "$figure"
}

# Packets listed as refused for peer and the opened port, 0 when there is no such record. NODE
# would-drop|drop egress|ingress PEER PORT
drops_of()
{
	local side=peer
	[ "$3" = egress ] || side=local
	local figure
	figure=$(fr_ask "$1" "[.drops[] | select(.verdict == \"$2\" and .direction == \"$3\" and
		.peer.address == \"$4\" and .$side.port == $5) | .packets] | add // 0" show drops)
	[[ $figure =~ ^[0-9]+$ ]] || figure=-1
	echo "$figure"
}

pins_left() { find "$LAB_DIR/bpf/flowreeve" -mindepth 1 2>/dev/null | head -3; }

# Which of these programs are still there. The kernel frees a filter's program a moment after the filter.
programs_left() # ID...
{
	local id left i
	for i in $(seq 400); do
		left=
		for id in "$@"; do
			bpftool prog show id "$id" >/dev/null 2>&1 && left="$left $id"
		done
		[ -n "$left" ] || return 0
		sleep 0.05
	done
	echo "$left"
}

# ---------------------------------------------------------------- begin and end

e2e_end()
{
	local node
	trap - EXIT
	for node in agent hypervisor; do
		fr "$node" detach --all >/dev/null 2>&1
	done
	lab_down "$work"
	if [ "$e2e_failed" = 0 ]; then rm -rf "$work"; else
		tail -qn 2 "$work"/log/* 2>/dev/null | sed 's/^/    # log: /' | head -20
		rm -rf "$work"
	fi
	exit "$e2e_failed"
}

# Makes the lab, or ends the script with a loud skip.
e2e_begin() # NAME
{
	e2e_failed=0
	if [ "$(id -u)" != 0 ]; then
		skip "$1" 'needs root'
		exit 0
	fi
	work=$(mktemp -d "/tmp/fr-$1.XXXXXX")
	chmod 755 "$work"
	trap e2e_end EXIT
	trap 'exit 130' INT TERM HUP
	lab_up "$work" || {
		not_ok "$1: the lab stands"
		exit 1
	}
	lab_certificate_make
	e2e_take
}

# The clone may lie where root alone can go; a test runs the program as others, too.
e2e_take()
{
	mkdir "$work/bin"
	FLOWREEVE=$work/bin/flowreeve
	cp "$e2e_built" "$FLOWREEVE" && cp -r "$e2e_top/policies/tables" "$work/tables" &&
		chmod -R a+rX "$work/bin" "$work/tables"
}

# A cgroup for the protected processes of a node, or a loud skip. NODE NAME
e2e_cgroup()
{
	LAB_CGROUP=$(lab_cgroup_make "$2") || {
		skip "$2" 'no cgroup2 is mounted here'
		exit 0
	}
	LAB_CGROUP_NODE=$1
}

# The variables of one kind of attach point: interface, clsact (an interface without TCX), guest or
# cgroup. Sets kind, host (where flowreeve runs), party (the protected node), party4, party6, attach,
# options (of apply; unquoted) and refusal (the party's error for a refused opening).
e2e_kind() # KIND
{
	kind=$1 host=agent party=agent party4=10.0.5.5 party6=fd00:5::5
	attach='{interfaces: [ens5]}' options='' refusal=timeout
	case $1 in
	clsact) options=--no-tcx ;;
	guest) host=hypervisor party=appliance party4=10.0.5.6 party6=fd00:5::6 attach='{guests: [tap0]}' ;;
	cgroup)
		[ -n "$LAB_CGROUP" ] || e2e_cgroup agent agent
		attach="{cgroups: [/$LAB_TAG-agent]}" refusal=denied
		;;
	esac
}
