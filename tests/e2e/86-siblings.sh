#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A container on a macvlan or ipvlan of the attached device: its packets are judged as the host's own, its sockets
# are in another namespace. A running connection goes on after apply if a rule allows it; others end.
#
# lesson: putting a firewall on cut the transfers of containers that its own rules allow.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/odd.sh"

sibling_make() # KIND MODE: false where the kernel has none
{
	echo "$LAB_TAG-sibling" >>"$LAB_DIR/netns"
	ip netns add "$LAB_TAG-sibling"
	ip -n "$LAB_TAG-sibling" link set lo up
	ip -n "$LAB_TAG-agent" link add link ens5 name sib0 type "$1" mode "$2" || return
	ip -n "$LAB_TAG-agent" link set sib0 netns "$LAB_TAG-sibling"
	ip -n "$LAB_TAG-sibling" link set sib0 up
	lab_address sibling sib0 10.0.5.60/24 fd00:5::60/64
}

pours() # NAME NODE ADDRESS PORT
{
	local name=$1
	shift
	tool "$1" sock-client pour "$2" "$3" "$work/done" --wait 5 >"$work/pour-$name" 2>&1 &
	jobs+=("$!")
	until_says "$work/pour-$name" connected
}

ended() { tail -n 1 "$work/pour-$1"; } # NAME

siblings() # KIND
{
	local jobs=()
	rm -f "$work/done" "$work/late"
	mkfifo "$work/late"
	lab_spawn late-serve vpc "$e2e_here/tools/late-server" serve 4446 "$work/late"
	lab_listens vpc t '*:4446'
	pours out sibling 10.0.5.10 7
	pours out6 sibling fd00:5::10 7
	pours in vpc 10.0.5.60 514
	pours in6 vpc fd00:5::60 514
	pours refused vpc 10.0.5.60 515
	lab_spawn late-hear sibling "$e2e_here/tools/late-server" hear 10.0.5.10 4446
	until_says "$work/log/late-hear" connected
	odd_apply enforce '  - {id: late, direction: egress, peer: [10.0.5.10], ports: [4446/tcp], action: allow}'
	echo late >"$work/late"
	until_says "$work/log/late-hear" late
	touch "$work/done"
	wait "${jobs[@]}"
	equal "$1: a transfer out goes on" ok "$(ended out)"
	equal "$1: over IPv6" ok "$(ended out6)"
	equal "$1: a transfer in goes on" ok "$(ended in)"
	equal "$1: over IPv6" ok "$(ended in6)"
	equal "$1: the first thing that a peer says arrives" 'connected late' \
		"$(tr '\n' ' ' <"$work/log/late-hear" | sed 's/ $//')"
	equal "$1: what no rule allows is cut" timeout "$(ended refused)"
	equal "$1: a new one out" ok "$(tool sibling sock-client tcp 10.0.5.10 7)"
	equal "$1: a new one in" ok "$(tool vpc sock-client tcp 10.0.5.60 514)"
	equal "$1: one that no rule allows" timeout "$(tool sibling sock-client tcp 10.0.5.10 9 --wait 0.5)"
	succeeds "$1: detach" fr agent detach
}

e2e_begin siblings
kind=interface host=agent party=agent attach='{interfaces: [ens5]}' options='' odd_peers='10.0.5.10, "fd00:5::/64"' # it has several
peer_start vpc echo 7 9
for how in 'macvlan bridge' 'ipvlan l2'; do
	# shellcheck disable=SC2086
	if ! sibling_make $how; then
		skip "${how% *}" 'this kernel has none'
	else
		peer_start sibling serve 514 515
		siblings "${how% *}"
		lab_stop peer-serve
		lab_stop late-serve
		lab_stop late-hear
	fi
	ip netns del "$LAB_TAG-sibling"
done
