#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A device without Ethernet, as a tunnel or a VPN has: its packets begin with the IP header, and their
# receiver ignores the ethertype.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/odd.sh"

tunnel_end() # NODE V4 V6 OWN OTHER
{
	lab_spawn "tunnel-$1" "$1" "$e2e_here/tools/tun-pipe" tun7 "$work/$4" "$work/$5"
	until_says "$work/log/tunnel-$1" ready
	lab_address "$1" tun7 "$2/24" "$3/64"
	ip -n "$LAB_TAG-$1" link set tun7 up
}

# Between the party, whose addresses are party4 and party6, and the node at the other end.
tunnel_judged() # OTHER OTHER4 OTHER6
{
	local kind_of
	for kind_of in udp tcp; do
		tells "$kind_of" ok "$party" sock-client $kind_of "$2" 7
		tells "$kind_of over IPv6" ok "$party" sock-client $kind_of "$3" 7
		tells "$kind_of to a port that is not allowed" "$outward" "$party" sock-client $kind_of "$2" 9
		tells "$kind_of over IPv6 to one" "$outward" "$party" sock-client $kind_of "$3" 9
		tells "$kind_of from outside" ok "$1" sock-client $kind_of "$party4" 514
		tells "$kind_of over IPv6 from outside" ok "$1" sock-client $kind_of "$party6" 514
		tells "$kind_of from outside to a port that is not allowed" "$inward" "$1" sock-client $kind_of "$party4" 515
		tells "$kind_of over IPv6 from outside to one" "$inward" "$1" sock-client $kind_of "$party6" 515
	done
	tells '8 KB in fragments' ok "$party" sock-client udp "$2" 7 --size 8192
	tells '8 KB from outside' ok "$1" sock-client udp "$party6" 514 --size 8192
	at_least "$kind, $mode: what is not allowed is told with its port" 1 "$(drops_of "$host" $told egress "$2" 9)"
}

# Lesson: a filter that trusts the ethertype of a packet lets in packets of another type. A packet socket may
# give an IP packet any ethertype; the other end of the tunnel reads the bytes.
tunnel_called_otherwise()
{
	local called before
	before=$(lab_enter vpc nstat -asz UdpInDatagrams | awk '/UdpInDatagrams/ { print $2 }')
	for called in 88b5 8100 0806 0000 0003; do
		lab_enter agent "$e2e_here/tools/frame-client" bare tun7 $called 10.9.0.5 10.9.0.10 9 --from 4000 >/dev/null
	done
	sleep 0.3
	equal "$kind, $mode: an IP packet under another ethertype" "$before" \
		"$(lab_enter vpc nstat -asz UdpInDatagrams | awk '/UdpInDatagrams/ { print $2 }')"
}

tunnel_run() # MODE
{
	kind=interface host=agent party=agent attach='{interfaces: [tun7]}' options=${2:-}
	party4=10.9.0.5 party6=fd00:99::5 odd_peers='10.9.0.10, "fd00:99::10"'
	odd_apply "$1"
	tunnel_judged vpc 10.9.0.10 fd00:99::10
	[ "$1" = audit ] || tunnel_called_otherwise
	succeeds "$kind, $mode: detach" fr "$host" detach
}

udp_count() { lab_enter agent nstat -asz UdpInDatagrams UdpNoPorts | awk '/^Udp/ { n += $2 } END { print n }'; }

# The kernel strips bytes that the other end of a tunnel calls a tag, here too, and delivers the rest.
tunnel_tagged()
{
	local before tags=(1 2 3 4 9)
	kind=interface host=agent attach='{interfaces: [tun8]}' options='' odd_peers=10.8.0.10
	if ! ip -n "$LAB_TAG-agent" tuntap add dev tun8 mode tun pi; then
		skip 'tags in a tunnel' 'no tun device with packet information'
		return 0
	fi
	lab_address agent tun8 10.8.0.5/24 fd00:88::5/64
	ip -n "$LAB_TAG-agent" link set tun8 up
	lab_enter agent sh -c 'for i in all tun8; do echo 0 >/proc/sys/net/ipv4/conf/$i/rp_filter; done'
	before=$(udp_count)
	equal 'tags in a tunnel: sent' ok "$(tool agent tun-tags tun8 10.8.0.10 10.8.0.5 515 "${tags[@]}")"
	equal 'tags in a tunnel: without a policy all arrive' $((before + ${#tags[@]})) "$(udp_count)"
	odd_apply enforce
	equal 'tags in a tunnel, enforce: sent' ok "$(tool agent tun-tags tun8 10.8.0.10 10.8.0.5 515 "${tags[@]}")"
	equal 'tags in a tunnel, enforce: none arrives' $((before + ${#tags[@]})) "$(udp_count)"
	equal 'tags in a tunnel, enforce: but where one is left it is malformed' $((${#tags[@]} - 1)) \
		"$(fr_ask agent '[.policies[].verdicts[] | select(.reason == "malformed") | .packets] | add' status)"
	succeeds 'tags in a tunnel: detach' fr agent detach
}

e2e_begin tunnel
tunnel_end agent 10.9.0.5 fd00:99::5 left right
tunnel_end vpc 10.9.0.10 fd00:99::10 right left
for node in agent vpc; do
	peer_start $node echo-tcp-$node 7 9 514 515
	[ $node = agent ] && four=10.9.0.5 six=fd00:99::5 || { four=10.9.0.10 six=fd00:99::10; }
	peer_start $node echo-udp-$node $four --udp 7 9 514 515
	peer_start $node echo-udp6-$node $six --udp 7 9 514 515
done
tunnel_run audit
tunnel_run enforce
tunnel_run enforce --no-tcx
tunnel_tagged
# A guest behind it: the other end is the one that is protected.
kind=guest host=agent party=vpc attach='{guests: [tun7]}' options=
party4=10.9.0.10 party6=fd00:99::10 odd_peers='10.9.0.5, "fd00:99::5"'
odd_apply enforce
tunnel_judged agent 10.9.0.5 fd00:99::5
succeeds "$kind, $mode: detach" fr "$host" detach
