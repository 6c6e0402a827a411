#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Large tables and many attach points: a million flows are printed one by one in constant memory, to a
# reader who may stop at any moment; 100,000 rules are installed and replaced; 512 taps are protected at
# once, and the 513th is refused with nothing changed. Times are printed, never judged.
. "$(dirname "$0")/lib.sh"

flows=1000000

told() { echo "# $*"; }

took() # SINCE, an EPOCHREALTIME -> ms
{
	echo $(((${EPOCHREALTIME/./} - ${1/./}) / 1000))
}

# As fr(), but in time for a busy machine and a million lines, and with no more address space than given.
# KILOBYTES VERB...
fr_small()
{
	local limit=$1
	shift
	(
		ulimit -v "$limit" || exit 99
		lab_enter agent timeout -s KILL 600 "$FLOWREEVE" "$@" --pin-root "$LAB_DIR/bpf/flowreeve"
	)
}

# As fr(), with patience. NODE VERB...
fr_long()
{
	local node=$1
	shift
	lab_enter "$node" timeout -s KILL 600 "$FLOWREEVE" "$@" --pin-root "$LAB_DIR/bpf/flowreeve"
}

# ---------------------------------------------------------------- a million flows

# lesson: a firewall's own tool that reads the whole table into memory first, or that locks the table for
# the reading, fails on the day when an administrator needs the table.
one_flow() { fr agent show flows --json | jq -e 'any(.flows[]; .state == "established")'; }

million()
{
	local started table lines code
	peer_start nfs nfs 10.20.0.5 2049
	policy_write "$work/policy.yaml" enforce '{interfaces: [ens5]}'
	succeeds 'a table for a million flows and more' fr agent apply "$work/policy.yaml" --flows 1200000
	lab_spawn one-flow agent "$(command -v python3)" -c "$hold_open"
	until_true one_flow
	table=$(find "$LAB_DIR/bpf/flowreeve/e2e" -name fr_flows)
	started=$EPOCHREALTIME
	equal 'a million flows are in the table' $flows "$("$e2e_here/tools/many-flows" "$table" $flows 2>&1)"
	told "filled in $(took "$started") ms; $(bpftool map show pinned "$table" | grep -o 'memlock.*')"
	at_least 'a flow needs no more than 280 bytes of the kernel' \
		"$(bpftool map show pinned "$table" | sed -n 's/.*memlock \([0-9]*\)B.*/\1/p')" $((1200000 * 280))
	started=$EPOCHREALTIME
	lines=$(fr_small 65536 show flows | grep -c ' 100\.[0-9.]*:2049 ')
	equal 'each of them is shown, in 64 MB of address space' $flows "$lines"
	told "shown in $(took "$started") ms"
	equal 'one peer of them is found' '100.64.3.232 ' \
		"$(fr_small 65536 show flows --json --peer 100.64.3.232 | jq -r '.flows[].peer.address' | tr '\n' ' ')"
	equal '... or the peers of a network' 256 "$(fr_small 65536 show flows --peer 100.67.13.0/24 | grep -c :2049)"
	lines=$(fr_small 65536 show flows --json 2>/dev/null | head -c 65536 | grep -c '"state"')
	at_least 'JSON comes flow by flow as well' 50 "$lines"
	fr_small 65536 show flows --json 2>"$work/said" | head -c 300 >/dev/null
	equal '... and ends with its reader, as any program does' 141 "${PIPESTATUS[0]}"
	reader_leaves
	interrupted
	equal 'and the conversation that was there goes on' ok "$(peer_try agent tcp 10.20.0.5 2049)"
	lab_stop one-flow
}

reader_leaves()
{
	local code
	fr_small 65536 show flows 2>"$work/said" | head -3 >"$work/head"
	code=${PIPESTATUS[0]}
	equal 'a reader that leaves after three lines has three lines' 3 "$(wc -l <"$work/head")"
	equal '... and the command ends by the signal of a closed pipe' 141 "$code"
	equal '... without a word' '' "$(cat "$work/said")"
}

# One line is read, so it is in the midst of the table; then the user presses Ctrl-C.
interrupted()
{
	local pid line code started=$EPOCHREALTIME
	mkfifo "$work/pipe"
	# bash has background commands ignore the signal
	lab_enter agent timeout -s KILL 600 env --default-signal=INT "$FLOWREEVE" show flows \
		--pin-root "$LAB_DIR/bpf/flowreeve" >"$work/pipe" 2>&1 &
	pid=$!
	exec 9<"$work/pipe"
	read -r line <&9
	matches 'the first line is there before the last' 'STATE' "$line"
	read -r line <&9
	matches '... and the first flow' ':2049 ' "$line"
	told "after $(took "$started") ms"
	equal 'while a table is being read packets are judged' ok "$(peer_try agent tcp 10.20.0.5 2049)"
	pid=$(pgrep -P "$(pgrep -P "$pid")")
	kill -INT "$pid"
	wait %%
	code=$?
	exec 9<&-
	equal 'it ends by the signal' 130 "$code"
}

# ---------------------------------------------------------------- 100,000 rules

rules_write() # FILE COUNT FIRST-NET
{
	{
		printf 'apiVersion: flowreeve/v1\nkind: Policy\nmetadata: {name: e2e}\nmode: enforce\n'
		printf 'attach: {interfaces: [ens5]}\nfailsafe: []\nrules:\n'
		awk -v n="$2" -v net="$3" 'BEGIN { for (i = 0; i < n; i++)
			printf "  - {id: r%d, direction: egress, peer: %d.%d.%d.0/24, ports: [%d/tcp], action: %s}\n",
				i, net + i / 65536, i / 256 % 256, i % 256, 1 + i % 24, i % 5 ? "allow" : "deny" }'
	} >"$1"
}

# The most memory that a command had, and all that it started. WORD... -> MB
memory_of()
{
	python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)' "$@"
}

# lesson: a hundred bytes more of each rule, or of each step that leads to one, is ten megabytes.
memory()
{
	local megabytes
	megabytes=$(memory_of "$FLOWREEVE" check "$work/one.yaml")
	told "checked in ${megabytes} MB"
	at_least 'checking 100,000 rules takes no more than 70 MB' "${megabytes:-1000}" 70
}

# The new state is written in maps, not rule by rule: as many calls for 100,000 rules as for ten.
calls_of() # FILE -> how many calls of bpf(2) applying it takes
{
	lab_enter agent strace -f -e trace=bpf -o "$work/calls" "$FLOWREEVE" apply "$1" \
		--allow-removal --pin-root "$LAB_DIR/bpf/flowreeve" >/dev/null
	grep -c 'bpf(' "$work/calls"
}

calls()
{
	local few many
	rules_write "$work/few.yaml" 10 20
	fr agent apply "$work/few.yaml" --allow-removal >/dev/null
	rules_write "$work/few.yaml" 10 40
	few=$(calls_of "$work/few.yaml")
	fr_long agent apply "$work/one.yaml" --allow-removal >/dev/null
	rules_write "$work/other.yaml" 100000 40
	many=$(calls_of "$work/other.yaml")
	told "$few calls of bpf(2) replace 10 rules, $many replace 100,000"
	at_least 'replacing 100,000 rules takes hardly more calls than 10' "$many" $((few * 2))
}

rules()
{
	local started
	rules_write "$work/one.yaml" 100000 20
	rules_write "$work/other.yaml" 100000 40
	memory
	started=$EPOCHREALTIME
	succeeds '100,000 rules are applied' fr_long agent apply "$work/one.yaml"
	told "applied in $(took "$started") ms"
	started=$EPOCHREALTIME
	succeeds 'and replaced by 100,000 others' fr_long agent apply "$work/other.yaml" --allow-removal
	told "replaced in $(took "$started") ms"
	equal 'all of them have a name and figures' 100000 "$(fr_ask agent \
		'[.policies[].rules[] | select(.id | test("^r[0-9]+$"))] | length' show rules)"
	calls
	tries 'what an early rule denies is denied' timeout peer_try agent tcp 40.0.0.1 1
	succeeds 'and they go' fr agent detach
}

# ---------------------------------------------------------------- 512 taps

taps_make() # FIRST LAST
{
	seq "$1" "$2" | sed 's/.*/tuntap add dev taps& mode tap/' | lab_enter hypervisor ip -batch -
}

guests_write() # FILE
{
	cat >"$1" <<-YAML
		apiVersion: flowreeve/v1
		kind: Policy
		metadata: {name: taps}
		mode: enforce
		attach: {guests: ["taps*"]}
		rules:
		  - {id: web, direction: egress, peer: any, ports: [443/tcp], action: allow}
	YAML
}

taps()
{
	local started before
	guests_write "$work/taps.yaml"
	succeeds '512 taps' taps_make 1 512
	started=$EPOCHREALTIME
	succeeds 'one policy takes all 512' fr_long hypervisor apply "$work/taps.yaml"
	told "512 hooks attached in $(took "$started") ms"
	equal 'each of them enforces, both ways' 1024 "$(fr_ask hypervisor \
		'[.policies[].hooks[] | select(.alive)] | length' status)"
	before=$(fr_ask hypervisor '.policies[] | "\(.generation) \(.digest)"' status)
	succeeds 'one more tap' taps_make 513 513
	sed -i 's/443/444/' "$work/taps.yaml"
	fr_exits '513 taps are refused: exit 3' 3 hypervisor apply "$work/taps.yaml"
	matches '... with the place of the pattern' 'taps.yaml:5:[0-9]+: error: more than 512' "$said"
	equal '... and the running policy is untouched' "$before" \
		"$(fr_ask hypervisor '.policies[] | "\(.generation) \(.digest)"' status)"
	started=$EPOCHREALTIME
	succeeds 'they are let go' fr_long hypervisor detach
	told "detached in $(took "$started") ms"
	equal 'nothing is left pinned' '' "$(pins_left)"
}

# A conversation that stays until it is ended.
hold_open='
import socket, time
talk = socket.create_connection(("10.20.0.5", 2049))
time.sleep(600)'

e2e_begin scale
million
succeeds 'the million goes with the policy' fr agent detach
rules
taps
e2e_end
