#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The packets that keep a link alive under a policy that allows none of them by a rule: neighbour
# discovery, address detection, group reports, DHCP of real servers and clients. Multicast is judged.
# Packets of a host to itself are not.
#
# lesson: elsewhere neighbour discovery was dropped, even where nothing was to be enforced, and IGMP died as
# soon as the feature was on.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/odd.sh"

# ---------------------------------------------------------------- neighbours and addresses

neighbours_forget()
{
	lab_enter "$party" ip neigh flush all
	lab_enter vpc ip neigh flush all
}

# NODE ADDRESS: "ok" once the kernel has made sure that no other host has it, "taken" when one has
address_settles()
{
	local i state
	for i in $(seq 1200); do
		state=$(lab_enter "$1" ip -6 -json address show to "$2" | jq -r '[.[].addr_info[]][0] |
			if .dadfailed then "taken" elif .tentative then "" else "ok" end')
		[ -z "$state" ] || break
		sleep 0.05
	done
	echo "$state"
}

neighbours_run()
{
	local device=ens5
	[ "$kind" = guest ] && device=eth0
	neighbours_forget
	tells 'TCP over IPv4 with no neighbour known' ok "$party" sock-client tcp 10.0.5.10 7
	tells 'TCP over IPv6 with no neighbour known' ok "$party" sock-client tcp fd00:5::10 7
	neighbours_forget
	tells 'from outside over IPv6' ok vpc sock-client tcp "$party6" 514 --bind fd00:5::10
	succeeds "$kind, $mode: ping over IPv6" lab_in "$party" ping -n -c1 -W30 fd00:5::10
	lab_enter "$party" sh -c "echo 1 >/proc/sys/net/ipv6/conf/$device/accept_dad"
	ip -n "$LAB_TAG-$party" address add fd00:5::77/64 dev $device
	equal "$kind, $mode: an address of one's own" ok "$(address_settles "$party" fd00:5::77)"
	ip -n "$LAB_TAG-$party" address del fd00:5::77/64 dev $device
	ip -n "$LAB_TAG-$party" address add fd00:5::20/64 dev $device
	equal "$kind, $mode: an address that somebody has" taken "$(address_settles "$party" fd00:5::20)"
	ip -n "$LAB_TAG-$party" address del fd00:5::20/64 dev $device
}

# ---------------------------------------------------------------- groups

# The output of a member of GROUP:PORT, while COMMAND runs: joined, then heard, or timeout after SECONDS.
member_of() # GROUP PORT SECONDS COMMAND...
{
	local device=ens5 member
	[ "$party" = appliance ] && device=eth0
	tool "$party" sock-client join "$1" $device "$2" "$3" >"$work/member" 2>&1 &
	member=$!
	until_says "$work/member" joined
	shift 3
	"$@" >/dev/null 2>&1
	wait $member
	tail -1 "$work/member"
}

groups_run()
{
	local listener
	tool vpc frame-client reports eth0 >"$work/reports" 2>&1 &
	listener=$!
	until_says "$work/reports" ready
	member_of ff05::7 700 0.3 true >/dev/null
	member_of 239.0.0.7 700 0.3 true >/dev/null
	wait $listener
	equal "$kind, $mode: reports of group members leave, IGMP and MLD" 'igmp mld' "$(tail -1 "$work/reports")"
}

# Does a member get the endpoint's datagram? WHAT heard|timeout GROUP PORT [SOURCE ZONE]
hears()
{
	local seconds=30
	[ "$2" = timeout ] && seconds=0.5
	equal "$kind, $mode: $1" "$2" "$(member_of "$3" "$4" $seconds \
		tool vpc sock-client udp "$3${6:-}" "$4" --local --bind "${5:-10.0.5.10}")"
}

many_run()
{
	local refused=timeout before
	[ "$mode" = audit ] && refused=heard
	# The endpoint may send to port 514, at any address; to 700 it may not.
	lab_stop "peer-serve-udp-$party"
	hears 'a multicast that is allowed' heard 239.0.0.7 514
	hears 'one that is not' $refused 239.0.0.7 700
	hears 'a broadcast that is allowed' heard 10.0.5.255 514
	hears 'one that is not' $refused 10.0.5.255 700
	hears 'over IPv6' heard ff02::7 514 fd00:5::10 %eth0
	hears 'one that is not' $refused ff02::7 700 fd00:5::10 %eth0
	odd_party_udp_start "$party"
	before=$(drops_of "$host" $told egress 239.0.0.7 700)
	tool "$party" sock-client udp 239.0.0.7 700 --local >/dev/null
	tool "$party" sock-client udp 255.255.255.255 700 --local >/dev/null
	equal "$kind, $mode: to a group that no rule names" 1 $(($(drops_of "$host" $told egress 239.0.0.7 700) - before))
	at_least "$kind, $mode: to everybody" 1 "$(drops_of "$host" $told egress 255.255.255.255 700)"
}

own_run() # what a host says to itself travels over lo, which is never attached
{
	tells 'its own address' ok "$party" sock-client tcp "$party4" 515
	tells 'its own address over IPv6' ok "$party" sock-client tcp "$party6" 515
	tells 'localhost' ok "$party" sock-client udp 127.0.0.1 515
	tells 'localhost over IPv6' ok "$party" sock-client tcp ::1 515
}

link_run() # KIND MODE
{
	odd_kind "$1"
	odd_apply "$2"
	neighbours_run
	[ "$kind" = cgroup ] || groups_run
	many_run
	[ "$kind" = guest ] || own_run
	succeeds "$kind, $mode: detach" fr "$host" detach
}

e2e_begin link
odd_servers_start
link_run interface audit
for kind in $odd_kinds; do
	link_run "$kind" enforce
done
