#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# An apply that cannot succeed: something that the host lacks (exit 3), that privilege or kernel lacks
# (exit 6). Each error names it, and leaves the running policy untouched, by its generation and by its
# verdicts.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
. "$here/policy.sh"

digest() { fr_ask agent '.policies[] | "\(.policy) \(.generation) \(.digest) \(.enforcing)"' status; }

untouched() # WHAT
{
	equal "$1: the running policy is untouched" "$running" "$(digest)"
	tries "$1: and still refuses" timeout peer_try agent tcp 10.66.0.66 4444
}

rejected() # WHAT EXIT PATTERN VERB...: the message, and what runs
{
	local what=$1 exit=$2 pattern=$3
	shift 3
	fr_exits "$what: exit $exit" "$exit" agent "$@"
	matches "$what: says so" "$pattern" "$said"
	untouched "$what"
}

# Root without some capabilities. "-cap" list as setpriv takes it; then VERB...
without() # CAPS VERB...
{
	local caps=$1
	shift
	lab_enter agent setpriv --bounding-set "$caps" --inh-caps "$caps" timeout -s KILL 30 "$FLOWREEVE" "$@" \
		--pin-root "$LAB_DIR/bpf/flowreeve" 2>&1
}

lacking() # CAPABILITY CAPS
{
	local code
	said=$(without "$2" apply "$work/other.yaml")
	code=$?
	equal "without $1: exit 6" 6 "$code"
	matches "without $1: names it" "$1" "$said"
	untouched "without $1"
}

e2e_begin refused
peer_start intruder stranger 4444
peer_start vpc control 10.0.5.10 1024
policy_write "$work/good.yaml" enforce '{interfaces: [ens5]}'
policy_write "$work/other.yaml" enforce '{interfaces: [ens5]}'
sed -i 's/ports: \[9\/tcp\]/ports: [10\/tcp]/' "$work/other.yaml"
succeeds 'a good policy runs' fr agent apply "$work/good.yaml"
running=$(digest)

# Missing on the host.
policy_write "$work/bad.yaml" enforce '{interfaces: [ens5, ens9]}'
rejected 'an interface that does not exist' 3 'ens9' apply "$work/bad.yaml"
matches 'an interface that does not exist: with file, line and column' 'bad.yaml:5:[0-9]+: error' "$said"
policy_write "$work/bad.yaml" enforce '{interfaces: ["wlan*"]}'
rejected 'a pattern that fits no interface' 3 'wlan' apply "$work/bad.yaml"
policy_write "$work/bad.yaml" enforce '{interfaces: [lo]}'
rejected 'the device lo' 3 '\blo\b' apply "$work/bad.yaml"
policy_write "$work/bad.yaml" enforce "{cgroups: [/$LAB_TAG-nowhere]}"
rejected 'a cgroup that does not exist' 3 "$LAB_TAG-nowhere" apply "$work/bad.yaml"
rejected 'a cgroup2 mount that is none' 6 'cgroup' apply "$work/bad.yaml" --cgroup "$work"
sed 's/metadata: .*/metadata: {name: second}/' "$work/good.yaml" >"$work/second.yaml"
rejected 'an attach point of another policy' 3 'e2e' apply "$work/second.yaml"

# Missing in the file.
printf 'apiVersion: flowreeve/v1\nkind: Policy\nmetadata: {name: e2e}\nmode: enforce\nattach: {interfaces: [ens5]}\n' >"$work/bad.yaml"
rejected 'a policy without a rule' 3 'empty-policy' apply "$work/bad.yaml"
sed 's/\[9\/tcp\]/[99999\/tcp]/' "$work/good.yaml" >"$work/bad.yaml"
rejected 'port 99999' 3 'bad.yaml:[0-9]+:[0-9]+: error.*99999' apply "$work/bad.yaml"
rejected 'a file that is not there' 3 'nowhere.yaml' apply "$work/nowhere.yaml"
head -c 4096 /dev/urandom >"$work/bad.yaml"
rejected 'binary junk' 3 'error' apply "$work/bad.yaml"
rejected 'a verb misspelt' 2 'apply' aply "$work/good.yaml"
rejected 'an unknown mode' 2 'enforce' apply "$work/other.yaml" --mode strict

# Operations that the caller may not do, and ones that it may with exactly these three.
lacking CAP_BPF -all,+net_admin,+perfmon
lacking CAP_NET_ADMIN -all,+bpf,+perfmon
lacking CAP_PERFMON -all,+bpf,+net_admin
said=$(without -all,+bpf,+net_admin,+perfmon apply "$work/other.yaml")
equal 'CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON suffice: exit 0' 0 $?
equal 'and the policy is in force' 'enforce true 0' \
	"$(fr_ask agent '.policies[0] | "\(.mode) \(.enforcing) \(.faults)"' status)"
said=$(without -all,+bpf,+net_admin,+perfmon detach)
equal 'they suffice to detach: exit 0' 0 $?
[ "$said" ] || not_ok 'detach says what it did'
said=$(lab_enter agent setpriv --reuid 65534 --regid 65534 --clear-groups "$FLOWREEVE" apply "$work/good.yaml" 2>&1)
equal 'nobody: exit 6' 6 $?
matches 'nobody: names the privilege' 'CAP_' "$said"

# No bpffs: the error gives the command that mounts it.
said=$(lab_enter agent timeout -s KILL 30 "$FLOWREEVE" apply "$work/good.yaml" --pin-root "$work/not-bpffs" 2>&1)
equal 'no bpffs: exit 6' 6 $?
matches 'no bpffs: gives the command' 'mount -t bpf' "$said"
equal 'no bpffs: nothing was made there' '' "$(ls "$work/not-bpffs" 2>/dev/null)"
equal 'and nothing is attached' '' "$(lab_enter agent bpftool net show 2>&1 | grep fr_)"

# Too few files: each error shows how to get more.
seen=''
for files in $(seq 8 24); do
	said=$(lab_enter agent sh -c "ulimit -n $files; exec \"\$@\"" few "$FLOWREEVE" apply "$work/good.yaml" \
		--pin-root "$LAB_DIR/bpf/flowreeve" 2>&1) && break
	grep -q 'Too many open files' <<<"$said" || continue
	grep -qE 'no room for the maps|pins-unreadable' <<<"$said" || continue
	grep -q 'no room for the maps' <<<"$said" && seen=1
	grep -q '| ulimit -n 1024' <<<"$said" || not_ok "$files files: says how to have more" "$said"
done
equal 'too few files to load: seen' 1 "$seen"
fr agent detach >/dev/null
