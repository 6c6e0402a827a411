#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Pins are removed, each kind in turn, from a policy that was put into enforce by an option, by a file with
# a blank in its name. Status notices every change, exit 5 or 1, and the command that it prints, pasted into
# a shell, restores the policy as it was.
#
# lesson: "apply POLICY heals it" was a command that turned enforcement off, or failed.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

paste() # COMMAND
{
	ln -sf "$FLOWREEVE" "$work/flowreeve"
	lab_enter "$host" env PATH="$work:$PATH" timeout -s KILL 60 sh -c "$1"
}

hint() { sed -n 's/^ *| \(.*flowreeve .*\)/\1/p' <<<"$said" | head -1; }
state() { fr_ask "$host" '.policies[] | "\(.mode) \(.enforcing) \(.faults)"' status; }
pins=''
take_away() { (cd "$pins" && rm -rf $1); }

# Damage in a running policy; status reports it, and the printed command repairs it. PATTERN EXIT
# [VERB...]
heal()
{
	local what="$kind: $1" code=$2 verb=("${@:3}")
	[ ${#verb[@]} != 0 ] || verb=(status)
	take_away "$1"
	fr_exits "$what: ${verb[*]} exits $code" "$code" "$host" "${verb[@]}"
	healed=$(hint)
	succeeds "$what: '$healed'" paste "${healed:-false}"
	equal "$what: in force as it was" 'enforce true 0' "$(state)"
	succeeds "$what: ${verb[*]} again" fr "$host" "${verb[@]}"
	equal "$what: and refuses" "$refusal" "$(peer_try "$party" tcp 10.66.0.66 4444 --wait 0.3)"
}

# Any map; some are for the programs alone, which hold them.
heal_maps()
{
	local name
	for name in $(cd "$pins" && printf '%s\n' e*/fr_*); do
		name=${name#*/}
		case $name in
		fr_images) ;;
		fr_ports) heal "e*/$name" 5 ;;
		fr_transit | fr_fragments | fr_questions | fr_ports_asked | fr_received | fr_askers | fr_owner | fr_processes | fr_flow_regions | fr_times | fr_syns | fr_hashing | fr_drop_regions | fr_budget)
			take_away "e*/$name"
			equal "$kind: without $name" 'enforce true 0' "$(state)"
			;;
		*) heal "e*/$name" 1 ;;
		esac
	done
}

heal_run() # KIND
{
	local name programs
	e2e_kind "$1"
	policy_write "$work/a policy.yaml" audit "$attach"
	succeeds "$kind: enforce by the command" fr "$host" apply "$work/a policy.yaml" --mode enforce $options
	pins="$LAB_DIR/bpf/flowreeve/e2e"
	programs=$(cd "$pins"/e1 && printf '%s\n' s-fr_*)
	# An apply that has to make programs anew leaves the next epoch.
	for name in $programs; do
		case $name in
		*clock) heal "e*/$name" 1 show flows ;;
		*sock_create) ;; # process detail; it goes without
		*connect6 | *sendmsg?) ;; # as connect4
		*) heal "e*/$name" 5 ;;
		esac
	done
	[ "$kind" != interface ] || heal_maps
	for name in image rules requests; do
		heal "e*/$name-*" 1
	done
	heal 'e*/document-*' 1 show policy
	heal 'e*/fr_images' 1
	matches "$kind: all of it in one word of a shell" "^sh -c '.*detach .* && .*apply" "$healed"
	[ "$kind" = clsact ] || {
		heal 'link-*-ingress' 5
		heal 'link-*-egress' 5
		heal 'link-*' 5
		heal 'e*/hooks-*' 1
	}
	succeeds "$kind: detach" fr "$host" detach
	equal "$kind: nothing of ours is pinned" '' "$(pins_left)"
}

# Where no pin records the file any more, the printed command requires it, and does nothing without.
forgotten_run() # PATTERN
{
	e2e_kind interface
	policy_write "$work/a policy.yaml" audit "$attach"
	succeeds "without $1: apply" fr "$host" apply "$work/a policy.yaml" --mode enforce
	take_away "$1"
	fr_exits "without $1: status" 1 "$host" status
	fr_exits "without $1: status of its name" 1 "$host" status e2e
	matches "without $1: may be in force" 'pins-broken' "$said"
	fr_exits "without $1: apply stops" 1 "$host" apply "$work/a policy.yaml" --mode enforce
	matches "without $1: and says why" 'pins-broken' "$said"
	equal "without $1: what runs still refuses" timeout "$(peer_try agent tcp 10.66.0.66 4444 --wait 0.3)"
	matches "without $1: what is printed puts it in force again" "detach .*apply --mode enforce .*FILE.*for FILE" "$(hint)"
	fails "without $1: and does nothing without the file" paste "$(command_of_hint)"
	equal "without $1: what runs still refuses" timeout "$(peer_try agent tcp 10.66.0.66 4444 --wait 0.3)"
	cp "$work/a policy.yaml" "$work/FILE"
	succeeds "without $1: '$(command_of_hint)'" cd_paste "$(command_of_hint)"
	equal "without $1: in force as it was" 'enforce true 0' "$(state)"
	succeeds "without $1: detach" fr "$host" detach
}
command_of_hint() { sed "s/, with the file of the policy for FILE.*//" <<<"$(hint)"; }
cd_paste() { (cd "$work" && paste "$1"); }

# Pins are lost, and the file has gone or moved: the printed command does not name it as if it existed.
moved_run()
{
	e2e_kind interface
	succeeds 'file gone: apply' fr agent apply "$work/a policy.yaml" --mode enforce
	mv "$work/a policy.yaml" "$work/FILE"
	rm "$pins"/e*/s-fr_if_egress
	fr_exits 'file gone: status' 5 "$host" status
	matches 'file gone: said' "with the file of the policy for FILE, which is no longer $work/a policy.yaml" "$(hint)"
	succeeds "file gone: '$(command_of_hint)'" cd_paste "$(command_of_hint)"
	equal 'file gone: in force as it was' 'enforce true 0' "$(state)"
	mv "$work/FILE" "$work/a policy.yaml"
	succeeds 'file gone: the file is back' fr agent apply "$work/a policy.yaml" --mode enforce
	equal 'show rules names what runs' "$(fr_ask agent '.policies[0].digest' status)" "$(fr_ask agent '.windows[0].digest' show rules)"
	matches 'and status knows it' "source +$work/a policy.yaml" "$(fr agent status e2e)"
	succeeds 'file gone: detach' fr agent detach
}

# The words of the command that are not in the file.
words_run()
{
	local words many
	mkdir -p "$work/far/tab les"
	mv "$work"/tables/aws-*.yaml "$work/far/tab les"
	policy_write "$work/a policy.yaml" audit '{interfaces: [ens5]}'
	(cd "$work/far" && fr agent apply "$work/a policy.yaml" --mode enforce --tables 'tab les' --flows 4096 --local-subnet ens5=10.0.5.0/24 >/dev/null)
	equal 'words: in force' 'enforce true 0' "$(state)"
	rm "$pins"/e*/s-fr_if_egress
	fr_exits 'words: status' 5 agent status
	words="--tables '$work/far/tab les' --flows 4096 --local-subnet ens5=10.0.5.0/24"
	matches 'words: all of the command' "^flowreeve apply --mode enforce --pin-root .* $words '$work/a policy.yaml'\$" "$(hint)"
	succeeds "words: '$(hint)'" paste "$(hint)"
	equal 'words: in force as it was' 'enforce true 0' "$(state)"
	equal 'words: with its room, twice the flows' 8192 "$(fr_ask agent '.policies[0].maps[] | select(.map == "flows") | .max' status)"
	mapfile -t many < <(yes -- --local-subnet=ens5=10.0.5.0/24 | head -200)
	fr_exits 'words: too long to be kept' 1 agent apply "$work/a policy.yaml" --tables "$work/far/tab les" "${many[@]}"
	matches 'words: too long, and said' 'is too long to be kept with the policy.*command-long' "$said"
	equal 'words: what runs is untouched' 'enforce true 0' "$(state)"
	succeeds 'words: detach' fr agent detach
	mv "$work/far/tab les"/* "$work/tables"
}

# No command brings a device back: the message names the missing device.
lost_run()
{
	local spare
	e2e_kind interface
	lab_enter agent ip link add lost0 type veth peer name lost1
	policy_write "$work/a policy.yaml" enforce '{interfaces: [ens5, lost0]}'
	succeeds 'lost: apply' fr agent apply "$work/a policy.yaml"
	lab_enter agent ip link del lost0
	fr_exits 'lost: a device with a name' 5 agent status
	matches 'lost: named' "^bring interface lost0 back, or remove it from the policy's file; then flowreeve apply" "$(hint)"
	lab_enter agent ip link add lost0 type veth peer name lost1
	fr_exits 'lost: it is back' 5 agent status
	succeeds 'lost: and the command heals' paste "$(hint)"
	policy_write "$work/a policy.yaml" enforce '{interfaces: ["lost*"]}'
	succeeds 'lost: a pattern' fr agent apply "$work/a policy.yaml" --allow-removal
	lab_enter agent ip link del lost0
	fr_exits 'lost: all of a pattern' 5 agent status
	matches 'lost: all of a pattern, named' "^bring an interface that matches lost\* back" "$(hint)"
	succeeds 'lost: detach' fr agent detach
	e2e_kind cgroup
	mkdir "$LAB_CGROUP/lost"
	policy_write "$work/a policy.yaml" enforce "{cgroups: [/$LAB_TAG-agent/lost]}"
	succeeds 'lost: a cgroup' fr agent apply "$work/a policy.yaml"
	rmdir "$LAB_CGROUP/lost"
	until_true gone cgroup || not_ok 'lost: the cgroup is gone'
	fr_exits 'lost: a cgroup that is gone' 5 agent status
	matches 'lost: a cgroup, named' "^bring cgroup /$LAB_TAG-agent/lost back" "$(hint)"
	succeeds 'lost: detach' fr agent detach
	LAB_CGROUP=''
	# The kernel numbers a new namespace by the lowest free number: these leave lower ones to
	# namespaces of other tests, which else may get that of the one which goes.
	for spare in $(seq 24); do
		ip netns add "$LAB_TAG-spare$spare"
	done
	ip netns add "$LAB_TAG-brief"
	for spare in $(seq 24); do
		ip netns del "$LAB_TAG-spare$spare"
	done
	policy_write "$work/a policy.yaml" enforce '{interfaces: ["d*"]}'
	ip -n "$LAB_TAG-brief" link add d0 type veth peer name d1
	ip netns exec "$LAB_TAG-brief" "$FLOWREEVE" apply "$work/a policy.yaml" --pin-root "$LAB_DIR/bpf/flowreeve" >/dev/null
	ip netns del "$LAB_TAG-brief"
	until_true gone 'network namespace' || not_ok 'lost: the namespace is gone'
	fr_exits 'lost: a network namespace' 5 agent status
	matches 'lost: a network namespace, said' '^its network namespace is gone; in the one that has its interfaces: flowreeve apply' "$(hint)"
	succeeds 'lost: detach' fr agent detach
}
gone() { grep -q "nothing is attached: the $1 is gone" <<<"$(fr agent status e2e)"; }

# Of another policy that cannot be read; the command takes nothing of it off for a passing error.
other_run()
{
	local error call
	lab_enter agent ip link add other0 type veth peer name other1
	policy_write "$work/a policy.yaml" enforce '{interfaces: [ens5]}'
	policy_write "$work/q.yaml" enforce '{interfaces: [other0]}'
	sed -i 's/name: e2e/name: other/' "$work/q.yaml"
	succeeds 'other: apply' fr agent apply "$work/q.yaml"
	for error in EMFILE EIO; do
		for call in $(seq 4 "${FLOWREEVE_TEST_THIN:-1}" 24); do
			said=$(lab_enter agent strace -o /dev/null -e trace=bpf -e "inject=bpf:error=$error:when=$call" \
				"$FLOWREEVE" apply "$work/a policy.yaml" --pin-root "$LAB_DIR/bpf/flowreeve" 2>&1)
			! grep -q '| .*detach' <<<"$said" || not_ok "other: $error at bpf $call proposes to detach" "$said"
			fr agent detach e2e >/dev/null 2>&1
		done
		ok "other: $error at any call"
	done
	rm "$LAB_DIR"/bpf/flowreeve/other/e*/hooks-*
	fr_exits 'other: its records are gone' 1 agent apply "$work/a policy.yaml"
	matches 'other: said' 'other/?.* cannot be read.*pins-broken' "$said"
	succeeds "other: '$(hint)'" paste "$(hint)"
	fr_exits 'other: and it is in force' 0 agent status --query
	fr agent detach --all >/dev/null
	lab_enter agent ip link del other0
}

# The command is pasted where the devices are, from any namespace that asked for it.
elsewhere_run()
{
	e2e_kind interface
	succeeds 'elsewhere: apply' fr agent apply "$work/a policy.yaml" --mode enforce
	rm "$pins"/e*/s-fr_if_egress
	said=$(fr nfs status 2>&1)
	equal 'elsewhere: status of another namespace exits 5' 5 $?
	matches 'elsewhere: the command enters its own' "nsenter --net=/run/netns/" "$(hint)"
	host=nfs
	succeeds "elsewhere: '$(hint)'" paste "$(hint)"
	host=agent
	equal 'elsewhere: in force as it was' 'enforce true 0' "$(state)"
	succeeds 'elsewhere: detach' fr agent detach
}

e2e_begin heal
peer_start intruder stranger 4444
heal_run interface
heal_run clsact
heal_run guest
heal_run cgroup
LAB_CGROUP=''
forgotten_run 'e*/state-*'
forgotten_run 'e*'
forgotten_run 'e*/*'
elsewhere_run
moved_run
words_run
lost_run
other_run
