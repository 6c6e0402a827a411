#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A policy knows its host by its attach points, not by an address: given one by DHCP after the policy, given
# another, renumbered, or reached under addresses that only a route makes local, the host is judged alike,
# and no part of flowreeve runs meanwhile.
#
# lesson: firewalls that keep a list of the host's addresses missed those on lo, for a release at a time,
# and learnt of DHCP's at the next resync.
. "$(dirname "$0")/lib.sh"

address_of() { lab_enter agent ip -4 -o address show dev ens5 | awk '{ sub("/.*", "", $4); print $4 }'; }

server_start() # FIRST LAST: of the addresses that it leases
{
	lab_stop leases
	lab_spawn leases vpc dnsmasq -k -C /dev/null --port=0 --interface=eth0 --bind-interfaces --no-ping \
		--pid-file= --user=root --log-facility=- --dhcp-authoritative --dhcp-leasefile="$work/leases" \
		--dhcp-option=3,10.0.5.1 --dhcp-range="10.0.5.$1,10.0.5.$2,255.255.255.0,1h"
	lab_listens vpc u '*:67'
}

client_script_write()
{
	cat >"$work/client" <<-'SH'
		#!/bin/sh
		case $reason in
		BOUND | RENEW | REBIND | REBOOT)
			ip address flush dev "$interface" scope global
			ip address add "$new_ip_address/24" dev "$interface"
			ip route replace default via "$new_routers" ;;
		EXPIRE | FAIL | RELEASE | STOP) ip -4 address flush dev "$interface" ;;
		esac
	SH
	sed -i 's/ip address flush/ip -4 address flush/' "$work/client"
	chmod +x "$work/client"
	printf 'timeout 60; initial-delay 0; select-timeout 0; initial-interval 1; reboot 1;' >"$work/dhclient.conf"
}

# A lease, or another one: with a remembered lease, the client first asks for the old address.
lease_take() # PATTERN: of the address, extended regular expression
{
	local client _
	lab_in agent timeout -s KILL 120 dhclient -4 -1 -d -sf "$work/client" -cf "$work/dhclient.conf" -lf "$work/lease" \
		-pf "$work/dhclient.pid" ens5 >"$work/log/dhclient" 2>&1 &
	client=$!
	for _ in $(seq 1200); do
		[[ ! $(address_of) =~ $1 ]] || break
		sleep 0.05
	done
	kill "$(cat "$work/dhclient.pid" 2>/dev/null)" 2>/dev/null
	wait $client 2>/dev/null
	address=$(address_of)
	matches "$name: an address by DHCP" "$1" "$address"
}

# From that very address: tcp|udp SERVER PORT SECONDS
talk()
{
	lab_in agent timeout -s KILL 60 "$e2e_here/tools/sock-client" "$1" "$2" "$3" --bind "$address" --wait "$4"
}

# Allowed traffic passes, and nothing else: SERVER STRANGER BASTION, of the family of $address
judged()
{
	equal "$name: what may go out does" 'ok ok' "$(talk tcp "$1" 2049 20) $(talk udp "$1" 2049 20)"
	equal "$name: what may not does not" 'timeout timeout' "$(talk tcp "$2" 4444 0.3) $(talk udp "$2" 4445 0.3)"
	tries "$name: what may come in does" ok peer_try bastion tcp "$address" 22022
	equal "$name: what may not does not" 'timeout timeout' \
		"$(peer_try bastion tcp "$address" 4444 --wait 0.3) $(peer_try bastion udp "$address" 4445 --wait 0.3)"
	equal "$name: it is reported with this address" 2 "$(fr_ask agent "[.drops[] | select(.verdict == \"drop\" and
		.direction == \"ingress\" and .local.address == \"$address\" and .peer.address == \"$3\")] | length" show drops)"
}

by_dhcp()
{
	name='leased after the policy'
	server_start 200 209
	lease_take '^10\.0\.5\.20[0-9]$'
	judged 10.20.0.5 10.66.0.66 10.0.9.5
	name='another address'
	server_start 230 239
	lease_take '^10\.0\.5\.23[0-9]$'
	judged 10.20.0.5 10.66.0.66 10.0.9.5
}

renumbered()
{
	name='renumbered' address=fd00:5::77
	ip -n "$LAB_TAG-agent" address delete fd00:5::5/64 dev ens5
	lab_address agent ens5 $address/64
	judged fd00:20::5 fd00:66::66 fd00:9::5
}

# A whole prefix is local by a route alone, on a host that forwards besides.
anyip()
{
	lab_enter agent sh -c 'echo 1 >/proc/sys/net/ipv6/ip_nonlocal_bind'
	ip -n "$LAB_TAG-agent" route add local 10.77.0.0/24 dev lo
	ip -n "$LAB_TAG-agent" -6 route add local fd77::/64 dev lo
	ip -n "$LAB_TAG-router" route add 10.77.0.0/24 via "$address"
	ip -n "$LAB_TAG-router" -6 route add fd77::/64 via fd00:5::77
	name='an address of an AnyIP route' address=10.77.0.9
	judged 10.20.0.5 10.66.0.66 10.0.9.5
	name='an IPv6 address of an AnyIP route' address=fd77::9
	judged fd00:20::5 fd00:66::66 fd00:9::5
	equal "AnyIP: none of it counts as forwarded" 0 "$(fr_ask agent '[.policies[].verdicts[] |
		select(.verdict == "pass" and (.reason == "forwarded" or .reason == "forwarded-reply")) | .packets] | add // 0' status)"
}

e2e_begin readdress
client_script_write
lab_enter agent sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
for server in 'nfs tcp 2049' 'nfs udp --udp 2049' 'intruder tcp 4444' 'intruder udp --udp 4445' \
	'agent ssh 22022' 'agent other 4444' 'agent other-udp --udp 4445'; do
	read -ra words <<<"$server"
	peer_start "${words[0]}" "${words[0]}-${words[1]}" "${words[@]:2}"
done
ip -n "$LAB_TAG-agent" -4 address flush dev ens5
policy_write "$work/readdress.yaml" enforce '{interfaces: [ens5]}'
succeeds 'apply, on a device without an IPv4 address' fr agent apply "$work/readdress.yaml"
by_dhcp
before=$address
renumbered
address=$before
anyip
fr_exits 'status says that it is enforced' 0 agent status
succeeds 'detach' fr agent detach
