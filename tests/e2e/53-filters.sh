#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Filters of other tools on the clsact qdisc of a protected device, with actions of every kind: drop, accept,
# go on, redirect. The effect of each on our verdicts, before ours and after, with TCX and without, and that
# status reports it.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

foreign() { lab_enter agent "$here/tools/foreign-program" "$@" 2>&1; }
filter() { lab_enter agent tc filter "$1" dev ens5 "${@:2}"; } # add|del|show egress|ingress ...
allowed() { peer_try agent udp 10.20.0.5 7; }
refused() { peer_try agent tcp 10.66.0.66 4444; }
others() { fr_ask agent ".policies[].hooks[] | select(.hook == \"$1\") | .neighbours | join(\", \")" status; }
told() { drops_of agent drop egress 10.66.0.66 4444; } # how often ours refused

# NAME PRIORITY: a filter that ends in this number, of the pinned program; leaves its program in $id
filter_number() # NUMBER PRIORITY
{
	id=$(foreign filter "$1" "$LAB_DIR/bpf/number")
	filter add egress prio "$2" protocol all bpf da object-pinned "$LAB_DIR/bpf/number"
	rm -f "$LAB_DIR/bpf/number"
}
filter_u32() { filter add egress prio "$1" protocol all u32 match u32 0 0 "${@:2}"; } # PRIORITY ACTION...
filters_clear() { filter del egress; }

e2e_begin filters
peer_start nfs echo --udp 7
peer_start intruder stranger 4444
policy_write "$work/one.yaml" enforce '{interfaces: [ens5]}'
lab_enter agent tc qdisc add dev ens5 clsact
lab_enter agent ip link add sink type dummy 2>/dev/null || lab_enter agent ip link add sink type veth peer name drain
lab_enter agent ip link set sink up

# With TCX the filters come after ours, whatever they do: none of them lets a refused packet through.
# lesson: where TCX was owned by one product, the tc filter of another was never reached.
if lab_enter agent bpftool net show >/dev/null && fr agent apply "$work/one.yaml" >/dev/null 2>&1 &&
	[ "$(fr_ask agent '.policies[].hooks[] | select(.hook == "tcx/egress") | .hook' status)" = tcx/egress ]; then
	filter_number -1 1
	tries 'TCX, a filter that goes on: ours allows' ok allowed
	tries 'TCX, a filter that goes on: ours refuses' timeout refused
	matches 'TCX, a filter that goes on: status names it after ours' \
		"^after: program foreign \\(id $id\\), filter bpf of priority 1$" "$(others tcx/egress)"
	filters_clear
	filter_number 0 1
	tries 'TCX, a filter that accepts: ours refuses' timeout refused
	equal 'TCX, a filter that accepts: still enforcing' true "$(fr_ask agent '.policies[0].enforcing' status)"
	filters_clear
	filter_number 2 1
	tries 'TCX, a filter that drops: is reached by what ours allows' timeout allowed
	filters_clear
	filter_u32 1 flowid 1:1
	tries 'TCX, u32 that accepts: ours refuses' timeout refused
	matches 'TCX, u32 that accepts: status names it' '^after: filter u32 of priority 1$' "$(others tcx/egress)"
	filters_clear
	filter_u32 1 action mirred egress redirect dev sink
	tries 'TCX, u32 that redirects: takes what ours allows' timeout allowed
	filters_clear
	tries 'TCX, alone again: ours allows' ok allowed
	succeeds 'TCX: detach' fr agent detach
else
	skip 'filters after TCX' 'the kernel has no TCX'
	fr agent detach >/dev/null 2>&1
fi

# Without TCX ours is one filter among them. A BPF one ends up behind it; one of another kind with the
# first priority cannot be passed, and status reports it as hiding packets.
filter_number 0 1
succeeds 'no TCX, one that accepts was first: apply' fr agent apply "$work/one.yaml" --no-tcx
tries 'no TCX, one that accepts was first: ours runs before it' timeout refused
matches 'no TCX, one that accepts was first: status' "^after: program foreign \\(id $id\\), filter bpf of priority 1$" \
	"$(others clsact/egress)"
succeeds 'no TCX, one that accepts was first: detach' fr agent detach
matches 'no TCX, one that accepts was first: stays' "id $id" "$(filter show egress)"
filters_clear

succeeds 'no TCX: apply' fr agent apply "$work/one.yaml" --no-tcx
filter_number 0 1
before=$(told)
tries 'no TCX, one that accepts comes before ours: the answer finds no flow' timeout refused
equal 'no TCX, one that accepts comes before ours: it hides the packets' "$before" "$(told)"
fr_exits 'no TCX, one that accepts comes before ours: status exits 5' 5 agent status
matches 'no TCX, one that accepts comes before ours: status says what' \
	"program foreign \\(id $id\\), filter bpf of priority 1" "$said"
succeeds 'no TCX, one that accepts comes before ours: applied again' fr agent apply "$work/one.yaml" --no-tcx
tries 'no TCX, one that accepts comes before ours: ours is the first again' timeout refused
equal 'no TCX, one that accepts comes before ours: enforcing again' true \
	"$(fr_ask agent '.policies[0].enforcing' status)"
succeeds 'no TCX: detach' fr agent detach
filters_clear

filter_u32 1 flowid 1:1
said=$(fr agent apply "$work/one.yaml" --no-tcx 2>&1)
matches 'no TCX, u32 of the first priority: apply reports that it runs before' 'filter u32 of priority 1 runs before' "$said"
tries 'no TCX, u32 of the first priority: the answer finds no flow' timeout refused
equal 'no TCX, u32 of the first priority: it hides the packets' 0 "$(told)"
fr_exits 'no TCX, u32 of the first priority: status exits 5' 5 agent status
succeeds 'no TCX, u32 of the first priority: detach' fr agent detach
equal 'no TCX, u32 of the first priority: nothing of ours is left, either way' '' \
	"$(filter show egress | grep fr_; filter show ingress | grep fr_)"
matches 'no TCX, u32 of the first priority: stays' 'u32.*flowid 1:1' "$(filter show egress)"
filters_clear

filter_u32 7 flowid 1:1
succeeds 'no TCX, u32 of a later priority: apply' fr agent apply "$work/one.yaml" --no-tcx
tries 'no TCX, u32 of a later priority: ours is the first' timeout refused
at_least 'no TCX, u32 of a later priority: and sees what it refuses' 1 "$(told)"
filters_clear
fr_exits 'no TCX, ours was removed with the others: status exits 5' 5 agent status
succeeds 'no TCX, ours was removed with the others: applied again' fr agent apply "$work/one.yaml" --no-tcx
tries 'no TCX, ours was removed with the others: ours is back' timeout refused
succeeds 'no TCX, the last: detach' fr agent detach
matches 'the qdisc of the other tool stays' clsact "$(lab_enter agent tc qdisc show dev ens5)"
