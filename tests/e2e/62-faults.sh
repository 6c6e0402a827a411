#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Faults around a policy in force: a bpffs that is unmounted or full, a limit of memory, a clock of its own, a policy
# file that is being written, ten commands at once. Each command says what is wrong, and the policy in force stays
# whole. SOAK=1, of `make soak`: every pin finds no space, and the file is cut at every length.
#
# lesson: what a firewall cannot read it takes for empty, and what it cannot write it leaves half.
. "$(dirname "$0")/lib.sh"

soak=${SOAK:-0}

policy() # FILE PORT
{
	cat >"$work/$1" <<-YAML
		apiVersion: flowreeve/v1
		kind: Policy
		metadata: {name: e2e}
		mode: enforce
		attach: {interfaces: [ens5]}
		rules:
		  - {id: echo, direction: egress, peer: [10.20.0.5], ports: [7/tcp], action: allow}
		  - {id: served, direction: ingress, peer: [any], ports: [22022/tcp], action: allow}
		  - {id: port, direction: egress, peer: [10.20.0.5], ports: [$2/tcp], action: allow}
		failsafe: []
	YAML
}

in_force() { fr_ask agent '.policies[] | "\(.policy) \(.generation) \(.digest) \(.enforcing) \(.faults)"' status; }

untouched() # WHAT
{
	equal "$1: the policy in force is untouched" "$running" "$(in_force)"
	tries "$1: it refuses" timeout peer_try agent tcp 10.66.0.66 4444
	tries "$1: it admits" ok peer_try agent tcp 10.20.0.5 7
}

# WHAT CODE PATTERN COMMAND...: leaves the text in $said
ends()
{
	local what=$1 code=$2 pattern=$3 status
	shift 3
	said=$("$@" 2>&1)
	status=$?
	if [ $status = "$code" ]; then ok "$what: exit $code"; else not_ok "$what: exit $code" "it was $status: $said"; fi
	matches "$what: says so" "$pattern" "$said"
}

# ---------------------------------------------------------------- bpffs

# In a mount namespace of its own: a copy of the mount in that of another test would keep the pins.
apart() { nsenter --mount="/proc/$apart/ns/mnt" --net="/run/netns/$LAB_TAG-agent" -- "$@"; }
elsewhere() { apart "$FLOWREEVE" "$@" --pin-root "$work/bpf2/flowreeve"; }
bpf2_mount() { apart mount -t bpf -o mode=700 bpf "$work/bpf2"; }

answers_stranger() { [ "$(LAB_WAIT=0.3 peer_try agent tcp 10.66.0.66 4444)" = ok ]; }

bpffs_unmounted()
{
	local apart
	mkdir "$work/bpf2"
	unshare --mount sleep 600 &
	apart=$!
	until_true bpf2_mount || not_ok 'unmounted: a bpffs is mounted'
	succeeds 'unmounted: a policy on a bpffs of its own' elsewhere apply "$work/one.yaml"
	tries 'unmounted: it refuses' timeout peer_try agent tcp 10.66.0.66 4444
	apart umount "$work/bpf2"
	succeeds 'unmounted: with its pins, the kernel has removed the links' until_true answers_stranger
	ends 'unmounted: verify' 1 '\[not-applied\]' elsewhere verify
	ends 'unmounted: apply' 6 'mount -t bpf -o mode=0700 bpf ' elsewhere apply "$work/one.yaml"
	bpf2_mount
	succeeds 'unmounted: mounted again, apply' elsewhere apply "$work/one.yaml"
	tries 'unmounted: it refuses again' timeout peer_try agent tcp 10.66.0.66 4444
	succeeds 'unmounted: detach' elsewhere detach
	kill $apart
}

# No bpffs has a size: what is full is the memory behind it, and a pin ends with ENOSPC.
bpffs_full()
{
	local pins call status seen=0 wrong=''
	full_apply trace=bpf >/dev/null 2>&1
	succeeds 'full: as before' fr agent apply "$work/one.yaml" --flows 4096
	running=$(in_force)
	pins=$(awk '/OBJ_PIN/ { print NR }' "$work/trace")
	for call in $(awk -v step=$((soak ? 1 : 12)) 'NR % step == 0' <<<"$pins"); do
		said=$(full_apply "inject=bpf:error=ENOSPC:when=$call" 2>&1)
		status=$?
		grep -q 'OBJ_PIN.*INJECTED' "$work/trace" && seen=$((seen + 1))
		if [ $status != 0 ]; then
			grep -q 'No space left on device' <<<"$said" && [ "$(in_force)" = "$running" ] || wrong="$wrong; pin at $call: $said"
		fi
		fr agent apply "$work/one.yaml" --flows 4096 >/dev/null 2>&1
		running=$(in_force)
	done
	at_least "full: $seen pins find no space" 1 $seen
	equal "full: each is said, and changes nothing" '' "$wrong"
	untouched full
}

full_apply() # WORD of strace
{
	lab_enter agent strace -f -qq -o "$work/trace" -e trace=bpf -e "$1" "$FLOWREEVE" apply "$work/two.yaml" --flows 8192 \
		--pin-root "$LAB_DIR/bpf/flowreeve"
}

# ---------------------------------------------------------------- memory

limit_make() # -> limit_dir; 1 where there is no such controller
{
	if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
		limit_dir=/sys/fs/cgroup/$LAB_TAG-limit
		echo +memory >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null
		mkdir "$limit_dir" && echo "$1" >"$limit_dir/memory.max"
	else
		limit_dir=/sys/fs/cgroup/memory/$LAB_TAG-limit
		mkdir "$limit_dir" && echo "$1" >"$limit_dir/memory.limit_in_bytes"
	fi 2>/dev/null
}

# shellcheck disable=SC2016
limited() { lab_enter agent sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$limit_dir" "$FLOWREEVE" "$@" --pin-root "$LAB_DIR/bpf/flowreeve"; }

memory_limited()
{
	limit_make $((64 << 20)) || {
		skip 'a limit of memory' 'no memory controller'
		return
	}
	ends 'memory: a table that is too large' 1 'no room for the maps' limited apply "$work/two.yaml" --flows 1000000
	untouched 'memory'
	succeeds 'memory: what fits is applied' limited apply "$work/two.yaml"
	succeeds 'memory: as before' fr agent apply "$work/one.yaml"
	until_true rmdir "$limit_dir"
	running=$(in_force)
}

# ---------------------------------------------------------------- clocks

# The boot clock of the process is far ahead of the programs', or behind.
clocks()
{
	local offset left behind
	behind=$(awk '{ print -int($1 / 2) }' /proc/uptime)
	for offset in 1000000000 "$behind"; do
		succeeds "boot clock $offset s: a change" lab_enter agent unshare --time --boottime="$offset" --fork "$FLOWREEVE" \
			apply "$work/two.yaml" --confirm 600 --pin-root "$LAB_DIR/bpf/flowreeve"
		left=$(fr_ask agent '.policies[0].pending.seconds_left' status)
		at_least "boot clock $offset s: it ends in $left s" 1 $((left > 0 && left <= 600))
		succeeds "boot clock $offset s: cancel" lab_enter agent unshare --time --boottime="$offset" --fork "$FLOWREEVE" \
			cancel --pin-root "$LAB_DIR/bpf/flowreeve"
		succeeds "boot clock $offset s: a change for a second" lab_enter agent unshare --time --boottime="$offset" --fork "$FLOWREEVE" \
			apply "$work/two.yaml" --confirm 1 --pin-root "$LAB_DIR/bpf/flowreeve"
		succeeds "boot clock $offset s: ends" until_true rolled_back
	done
	running=$(in_force)
}
rolled_back() { grep -q 'was rolled back at' <<<"$(fr agent status e2e)"; }

# ---------------------------------------------------------------- the policy's file

# The command is stopped in its first read of the file, and goes on when the rest has been written.
two_halves()
{
	local writer
	head -n 7 "$work/two.yaml" >"$work/half.yaml" # a policy of its own
	lab_enter agent strace -f -qq -o "$work/trace" -P "$work/half.yaml" -e trace=read -e inject=read:signal=SIGSTOP:when=1 \
		"$FLOWREEVE" apply "$work/half.yaml" --pin-root "$LAB_DIR/bpf/flowreeve" >"$work/halves" 2>&1 &
	writer=$!
	succeeds 'two halves: the first is read' until_true says "$work/trace" 'stopped by SIGSTOP'
	tail -n +8 "$work/two.yaml" >>"$work/half.yaml"
	pkill -CONT -P "$(pgrep -P $writer strace || echo $writer)"
	wait $writer
	equal 'two halves: exit' 3 $?
	matches 'two halves: says so' 'half.yaml.*changed while it was read' "$(cat "$work/halves")"
	untouched 'two halves'
}

policy_files()
{
	local size whole said applied=0 bad=''
	whole=$(stat -c %s "$work/two.yaml")
	for size in $(seq 0 $((soak ? 1 : 37)) $((whole - 2))); do
		head -c "$size" "$work/two.yaml" >"$work/cut.yaml"
		said=$(fr agent apply "$work/cut.yaml" --no-preview 2>&1) && applied=$((applied + 1))
		[ "$said" ] || bad="$bad; $size bytes: no word"
	done
	equal "truncated: each of $((whole / (soak ? 1 : 37))) lengths is refused, with the reason" '0' "$applied$bad"
	untouched truncated
	mkdir "$work/dir.yaml"
	ends 'a directory' 3 'this is a directory.*\[file-unreadable\]' fr agent apply "$work/dir.yaml"
	install -m 000 "$work/two.yaml" "$work/secret.yaml"
	ends 'unreadable' 3 'Permission denied.*\[file-unreadable\]' lab_enter agent setpriv --bounding-set -all,+bpf,+net_admin,+perfmon \
		--inh-caps -all,+bpf,+net_admin,+perfmon "$FLOWREEVE" apply "$work/secret.yaml" --pin-root "$LAB_DIR/bpf/flowreeve"
	untouched unreadable
}

# ---------------------------------------------------------------- commands

ten_at_once()
{
	local files=(one two) i pids=() failed=0 before
	before=$(wc -l <"$FLOWREEVE_CHANGES")
	for i in $(seq 10); do
		fr agent apply "$work/${files[i % 2]}.yaml" >"$work/at-once-$i" 2>&1 &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || failed=$((failed + 1))
	done
	equal 'ten at once: none fails' 0 $failed
	equal 'ten at once: ten lines of the record' 10 $(($(wc -l <"$FLOWREEVE_CHANGES") - before))
	matches 'ten at once: one policy is in force' '^e2e [0-9]+ [0-9a-f]+ true 0$' "$(in_force)"
	equal 'ten at once: one set of maps, three links' 'e link link link' \
		"$(find "$LAB_DIR/bpf/flowreeve/e2e" -mindepth 1 -maxdepth 1 -printf '%f\n' | sed 's/[-0-9].*//' | sort | xargs)"
	succeeds 'ten at once: as before' fr agent apply "$work/one.yaml"
	running=$(in_force)
}

e2e_begin faults
export FLOWREEVE_CHANGES=$work/changes.jsonl
policy one.yaml 10
policy two.yaml 11
peer_start nfs echo-tcp 7
peer_start intruder stranger 4444
bpffs_unmounted
succeeds 'a policy' fr agent apply "$work/one.yaml" --flows 4096
bpffs_full
memory_limited
clocks
policy_files
two_halves
ten_at_once
succeeds 'detach' fr agent detach
equal 'nothing is left' '' "$(pins_left)"
