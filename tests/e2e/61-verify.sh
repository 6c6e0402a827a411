#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Each claim that verify checks is made untrue, one at a time: it says which, exits 5, and the command that it
# prints makes it true again. The packets of --probe are judged as the policy says, change no figure, and tell
# an image that was changed in the kernel's memory.
#
# lesson: a tool that reads its own file says that it enforces, and nothing is attached.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

foreign() { lab_enter agent "$here/tools/foreign-program" "$@" 2>&1; }
paste() # COMMAND
{
	ln -sf "$FLOWREEVE" "$work/flowreeve"
	lab_enter "$host" env PATH="$work:$PATH" timeout -s KILL 60 sh -c "$1"
}
hint() { sed -n 's/^ *| \(.*flowreeve .*\)/\1/p' <<<"$said" | head -1; }
wrong() { sed -n 's/^  WRONG  *\([a-z]*\) .*/\1/p' <<<"$said" | sort -u | tr '\n' ' '; }
writes() { policy_write "$work/p.yaml" "${2:-enforce}" "$1"; } # ATTACH [MODE]
applies() { succeeds "$kind: apply" fr "$host" apply "$work/p.yaml" --allow-removal $options; }
all_true() { fr_exits "$kind: $1" 0 "$host" verify "${@:2}"; } # WHAT [OPTION...]

# A claim is untrue now: verify names the check, and says why. WHAT CHECKS PATTERN
untrue()
{
	fr_exits "$kind: $1: verify exits 5" 5 "$host" verify
	matches "$kind: $1: and says why" "$3" "$said"
	equal "$kind: $1: that and nothing else" "$2 " "$(wrong)"
}
heals() # WHAT: by the command that verify printed
{
	local command
	command=$(hint)
	succeeds "$kind: $1: '$command'" paste "${command:-false}"
	all_true "$1: true again"
}

pins_run()
{
	local name map
	name=$(cd "$pins" && echo link-*-egress | cut -d' ' -f1)
	lab_enter "$host" bpftool link detach pinned "$pins/$name" >/dev/null
	untrue 'a link that was detached' link 'WRONG +link .*egress.*: nothing is attached: .*the link was detached'
	heals 'a link that was detached'
	name=$(cd "$pins" && echo link-*-ingress | cut -d' ' -f1)
	rm "$pins/$name"
	untrue 'a link without its pin' link 'WRONG +link .*ingress: its link cannot be opened'
	heals 'a link without its pin'
	program_run
	map=$(echo "$pins"/e*/fr_times)
	rm "$map"
	bpftool map create "$map" type array key 4 value 8 entries 2 name fr_times
	untrue 'another map in the place of a pin' maps 'WRONG +maps .*: another map is pinned as fr_times'
	fr_exits "$kind: and status exits 5" 5 "$host" status
	heals 'another map in the place of a pin'
}

# The pin of a program is that of another one.
program_run()
{
	local program
	program=$(cd "$pins" && echo e*/[sj]-fr_*_egress)
	rm "$pins/$program"
	bpftool prog pin pinned "$(echo "$pins"/e*/s-fr_clock)" "$pins/$program"
	untrue 'another program in the place of a pin' program 'WRONG +program .*egress.*: program fr_.* runs here instead of the pinned'
	heals 'another program in the place of a pin'
}

image_run()
{
	local image
	image=$(echo "$pins"/e*/image-*)
	"$here/tools/alter-image" "$image" allow egress >/dev/null
	tries "$kind: an image changed by hand: allows" ok peer_try "$party" tcp 10.66.0.66 4444
	untrue 'an image changed by hand' image 'WRONG +image .*was changed after apply'
	fr_exits "$kind: and status exits 5" 5 "$host" status
	matches "$kind: and status says so" 'FAULT +image: ' "$(fr "$host" status e2e 2>/dev/null)"
	fr_exits "$kind: its packets" 5 "$host" verify --probe
	matches "$kind: its packets are told" 'WRONG +probe .*: egress .*: the program says pass \(default-egress\), the policy drop' "$said"
	equal "$kind: image and packets" 'image probe ' "$(wrong)"
	heals 'an image changed by hand'
	equal "$kind: an image changed by hand: refuses again" "$refusal" "$(LAB_WAIT=0.4 peer_try "$party" tcp 10.66.0.66 4444)"
	image=$(echo "$pins"/e*/image-*)
	"$here/tools/alter-image" "$image" digest >/dev/null
	untrue 'another digest' 'document image' 'WRONG +document .*is damaged, or of another policy'
	heals 'another digest'
	image=$(echo "$pins"/e*/image-*)
	"$here/tools/alter-image" "$image" generation >/dev/null
	untrue 'another generation' generation 'WRONG +generation .*: the image in force says [0-9]+, its pin [0-9]+|WRONG +generation +the image in force says'
	heals 'another generation'
}

document_run()
{
	local document text
	document=$(echo "$pins"/e*/document-*)
	text=$(fr "$host" show policy e2e | sed 's/7\/udp/9\/udp/')
	"$here/tools/forge-document" "$document" "$(fr_ask "$host" '.policies[0].digest' status)" <<<"$text" >/dev/null 2>&1 || {
		skip "$kind: another document" 'it has another size'
		return
	}
	untrue 'another document' document 'WRONG +document .*is not of what is in force'
	heals 'another document'
}

deadline_run()
{
	sed '/id: spare,/d' "$work/p.yaml" >"$work/q.yaml"
	succeeds "$kind: a change that waits" fr "$host" apply "$work/q.yaml" --confirm 600 --allow-removal $options
	untrue 'a change that waits' deadline 'WRONG +deadline +change [0-9]+ waits for its confirmation; in [0-9]+ s generation [0-9]+ is in force again'
	matches "$kind: a change that waits: confirm" '^flowreeve confirm ' "$(hint)"
	heals 'a change that waits'
	succeeds "$kind: enforcement until a time" fr "$host" apply "$work/q.yaml" --mode enforce --until 1h --allow-removal $options
	all_true 'enforcement until a time' --probe
	matches "$kind: enforcement until a time: said" 'ok +deadline +it enforces for 3[0-9]{3} s more' "$said"
	applies
}

# Packets of each rule, of whatever kind: nothing of the policy changes.
figures() { fr_ask "$host" '[.policies[].rules[] | [.id, .packets, .drops, .would_drops]]' show rules; }
probes_run()
{
	local before after flows
	before=$(figures)
	flows=$(fr_ask "$host" '.flows | length' show flows)
	all_true "$1" --probe
	# two rules are about one peer and port: the first decides
	matches "$kind: $1: packets of every rule" ' packets of 12 of 13 rules$' "$said"
	at_least "$kind: $1: packets" 40 "$(sed -nE 's/^  ([0-9]+) packets of .*/\1/p' <<<"$said")"
	after=$(figures)
	equal "$kind: $1: no figure has changed" "$before" "$after"
	equal "$kind: $1: nor a flow" "$flows" "$(fr_ask "$host" '.flows | length' show flows)"
	equal "$kind: $1: in JSON" '13 12 true' "$(fr_ask "$host" '.policies[0].probes | "\(.rules) \(.rules_probed) \(.packets > 40)"' verify --probe)"
}

common_run() # KIND
{
	e2e_kind "$1"
	writes "$attach"
	applies
	pins="$LAB_DIR/bpf/flowreeve/e2e"
	all_true 'untouched'
	equal "$kind: untouched: nothing is left unknown" 0 "$(fr_ask "$host" '.policies[0].unknown' verify)"
	probes_run 'untouched, with packets'
}

# Of the policy, not of its attach point.
policy_run()
{
	image_run
	document_run
	deadline_run
	writes "$attach" audit
	succeeds "$kind: audit" fr "$host" apply "$work/p.yaml" --mode audit --allow-removal $options
	probes_run 'audit, with packets'
	writes "$attach"
	applies
}

clsact_run()
{
	local kept
	common_run clsact
	kept=$(lab_enter agent tc filter show dev ens5 egress | sed -nE 's/.*pref ([0-9]+) bpf.*handle (0x[0-9a-f]+).*/\1 \2/p' | head -1)
	# shellcheck disable=SC2086 # two words
	set -- $kept
	lab_enter agent tc filter del dev ens5 egress pref "$1" handle "$2" bpf
	untrue 'a filter that is gone' link 'WRONG +link .*clsact/egress: its filter is gone'
	heals 'a filter that is gone'
	succeeds "$kind: detach" fr agent detach
}

# Another program before ours, and devices that are not what they were.
devices_run()
{
	local id
	common_run interface
	pins_run
	policy_run
	id=$(foreign tcx ens5 egress before -1 "$LAB_DIR/bpf/theirs")
	untrue 'a program before it' order "WRONG +order .*tcx/egress: program foreign \\(id $id\\) runs before it"
	heals 'a program before it'
	rm -f "$LAB_DIR/bpf/theirs"
	lab_enter agent ip link add lost0 type veth peer name lost1
	writes '{interfaces: [ens5, lost0, "more*"]}'
	applies
	all_true 'two devices and a pattern'
	lab_enter agent ip link set lost0 name other0
	untrue 'a device that was renamed' target 'WRONG +target .*other0.*: it is other0 now, which no name of the policy fits'
	lab_enter agent ip link set other0 name lost0
	all_true 'renamed back'
	lab_enter agent ip link del lost0
	untrue 'a device that is gone' 'link target' 'WRONG +link .*lost0 .*: nothing is attached: the interface is gone'
	lab_enter agent ip link add lost0 type veth peer name lost1
	untrue 'a device made anew' 'attach link target' 'WRONG +attach +interface lost0: lost0: lost0 is another device now'
	heals 'a device made anew'
	ip -n "$LAB_TAG-agent" link set lost0 netns "$LAB_TAG-nfs"
	untrue 'a device that was moved' target 'WRONG +target .*lost0.*: it is gone, or in another network namespace'
	ip -n "$LAB_TAG-nfs" link del lost0
	lab_enter agent ip link add lost0 type veth peer name lost1
	applies
	lab_enter agent ip link add more0 type veth peer name more1
	untrue 'a device that came later' attach 'WRONG +attach +interface more\*: more0: it matches more\* and is not judged'
	heals 'a device that came later'
	succeeds "$kind: detach" fr agent detach
}

cgroups_run()
{
	local id inner
	common_run cgroup
	pins_run
	matches "$kind: hooks that cannot be run are named" '- +probe .*connect4: the kernel does not run it for a trial' "$(fr "$host" verify --probe)"
	inner="$LAB_CGROUP/inner"
	mkdir "$inner"
	id=$(foreign cgroup-link "$inner" connect4 "$LAB_DIR/bpf/theirs")
	foreign cgroup-link "$inner" egress "$LAB_DIR/bpf/theirs-too" >/dev/null
	writes "{cgroups: [/$LAB_TAG-agent/inner, '/$LAB_TAG-agent/x*']}"
	applies
	untrue 'a program before it' order "WRONG +order .*inner connect4: program foreign \\(id $id\\) runs before it"
	matches "$kind: one of packets decides too" 'ok +order .*egress: program foreign .* runs before it, and decides too' "$said"
	rm "$LAB_DIR/bpf/theirs" "$LAB_DIR/bpf/theirs-too"
	until_true fr "$host" verify
	all_true 'alone'
	mkdir "$LAB_CGROUP/x1"
	untrue 'a cgroup that came later' attach "WRONG +attach +cgroup .*/x\\*: .*/x1: it matches .* and is not judged"
	heals 'a cgroup that came later'
	preorder_run "$inner"
	succeeds "$kind: detach" fr agent detach
	applies
	rmdir "$inner"
	mkdir "$inner"
	until_true says_gone
	untrue 'a cgroup made anew' 'link target' 'WRONG +target .*inner .*: another cgroup has its path now'
	heals 'a cgroup made anew'
	succeeds "$kind: detach" fr agent detach
	rmdir "$inner" "$LAB_CGROUP/x1"
}
says_gone() { grep -q 'nothing is attached: the cgroup is gone' <<<"$(fr "$host" verify 2>/dev/null)"; }

# A program of the cgroup above that runs first, though its cgroup comes last: the kernel before its fix of June
# 2026 gives a new program of ours to that one's place. So none is given to it. CGROUP
preorder_run()
{
	local id before theirs="$LAB_DIR/bpf/theirs"
	id=$(foreign cgroup-link "$LAB_CGROUP" egress "$theirs" preorder)
	[[ $id =~ ^[0-9]+$ ]] || {
		skip "$kind: BPF_F_PREORDER" "this kernel does not have it: $id"
		return
	}
	before=$(foreign effective "$1" egress)
	equal "$kind: out of order: it runs first" "$id" "${before%% *}"
	untrue 'a program out of order' order "WRONG +order .*inner cgroup_skb/egress: program foreign \\(id $id\\) in cgroup .* runs out of order"
	sed '/id: spare,/d' "$work/p.yaml" >"$work/q.yaml"
	succeeds "$kind: out of order: other rules" fr "$host" apply "$work/q.yaml" --allow-removal
	equal "$kind: out of order: the same programs" "$before" "$(foreign effective "$1" egress)"
	fr_exits "$kind: out of order: other programs are refused" 3 "$host" apply "$work/p.yaml" --flows 4096
	matches "$kind: out of order: with the reason" "program foreign \\(id $id\\) runs out of order .*program-order" "$said"
	equal "$kind: out of order: the list is as it was" "$before" "$(foreign effective "$1" egress)"
	fr_exits "$kind: out of order: still" 5 "$host" verify
	equal "$kind: out of order: nothing else is wrong" 'order ' "$(wrong)"
	rm "$theirs"
	all_true 'in order again'
	succeeds "$kind: in order: other programs" fr "$host" apply "$work/p.yaml" --flows 4096
	all_true 'in order: other programs' --probe
}

guest_run()
{
	common_run guest
	pins_run
	succeeds "$kind: detach" fr hypervisor detach
}

nothing_run()
{
	fr_exits 'nothing is applied' 1 agent verify
	matches 'nothing is applied: said' 'no policy is applied' "$said"
	fr_exits 'no policy of that name' 1 agent verify none
	fr_exits 'no such option' 2 agent verify --query
}

e2e_begin verify
peer_start intruder stranger 4444
nothing_run
clsact_run
devices_run
guest_run
cgroups_run
