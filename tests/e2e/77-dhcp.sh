#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Leases of a real server to a real client, under a policy that allows nothing by a rule: on a device that
# has no address yet, and for a guest. Where the built-in rule is off, there are none. And the server under
# the policy of its table.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/odd.sh"

dhcp_server_start()
{
	lab_spawn dhcp-vpc vpc dnsmasq -k -C /dev/null --port=0 --interface=eth0 --bind-interfaces --no-ping \
		--pid-file= --user=root --log-facility=- --dhcp-authoritative --dhcp-leasefile="$work/leases" \
		--dhcp-range=10.0.5.200,10.0.5.220,255.255.255.0,1h --dhcp-range=fd00:5::200,fd00:5::220,64,1h
	lab_listens vpc u '*:67' && lab_listens vpc u '*:547'
}

# The address that it is given, or nothing: 4|6
lease()
{
	local lease="$work/lease-$1"
	rm -f "$lease"
	printf 'timeout %s; initial-delay 0; select-timeout 0; initial-interval 1;' "${2:-60}" >"$work/dhclient.conf"
	lab_in "$party" timeout -s KILL "$((${2:-60} + 1))" dhclient "-$1" -1 -d -sf /bin/true -cf "$work/dhclient.conf" \
		-lf "$lease" -pf "$work/dhclient.pid" "$device" >"$work/dhclient" 2>&1 &
	local client=$! _ given=
	for _ in $(seq $((${2:-60} * 20))); do
		given=$(grep -oE '(fixed-address|iaaddr) [0-9a-f.:]+' "$lease" 2>/dev/null | awk '{ print $2 }')
		[ -z "$given" ] || break
		kill -0 $client 2>/dev/null || break
		sleep 0.05
	done
	kill "$(cat "$work/dhclient.pid" 2>/dev/null)" 2>/dev/null
	wait $client 2>/dev/null
	echo "$given"
}

dhcp_run() # KIND DEVICE ATTACH
{
	e2e_kind "$1"
	device=$2 attach=$3
	odd_apply audit
	matches "$kind, audit: a lease" '^10\.0\.5\.2[0-9]+$' "$(lease 4)"
	matches "$kind, audit: a lease of an IPv6 address" '^fd00:5::2' "$(lease 6)"
	equal "$kind, audit: nothing of it is reported as would-drop" '' \
		"$(fr_ask "$host" '.drops[] | select(.protocol == "udp") | "\(.peer.address) \(.peer.port)"' show drops)"
	odd_apply enforce
	matches "$kind, enforce: a lease" '^10\.0\.5\.2[0-9]+$' "$(lease 4)"
	matches "$kind, enforce: a lease of an IPv6 address" '^fd00:5::2' "$(lease 6)"
	[ "$kind" = cgroup ] || at_least "$kind, enforce: it is counted as such" 8 "$(reason_of pass dhcp)"
	if [ "$kind" != cgroup ]; then # raw sockets of the client are no business of a cgroup's
		odd_apply enforce '' 'builtin: {dhcp: off}'
		equal "$kind: switched off, no lease" '' "$(lease 4 2)"
		equal "$kind: switched off, none of IPv6" '' "$(lease 6 2)"
	fi
	succeeds "$kind: detach" fr "$host" detach
}

# A policy of the server's, by the shipped table: answers go to addresses that no question came from.
served_by_table() # MODE
{
	cat >"$work/server.yaml" <<-YAML
		apiVersion: flowreeve/v1
		kind: Policy
		metadata: {name: dhcp-server}
		mode: $1
		attach: {interfaces: [eth0]}
		use: [{table: dhcp-server, as: server}]
		failsafe: []
	YAML
	succeeds "server, $1: apply" fr vpc apply "$work/server.yaml"
	matches "server, $1: a lease" '^10\.0\.5\.2[0-9]+$' "$(lease 4)"
	matches "server, $1: a lease of an IPv6 address" '^fd00:5::2' "$(lease 6)"
	equal "server, $1: nothing of it is refused" '' "$(fr_ask vpc '.drops[] |
		select(.protocol == "udp") | "\(.peer.address) \(.peer.port)"' show drops)"
	at_least "server, $1: each row has traffic" 4 "$(rule_field vpc dhcp-server/ask packets)"
	at_least "server, $1: and its answers" 4 "$(rule_field vpc dhcp-server/answer packets)"
	succeeds "server, $1: detach" fr vpc detach
}

e2e_begin dhcp
ip -n "$LAB_TAG-router" link add p-six type veth peer name ens6 netns "$LAB_TAG-agent"
ip -n "$LAB_TAG-router" link set p-six master lan up
ip -n "$LAB_TAG-agent" link set ens6 up
dhcp_server_start
e2e_kind interface
device=ens6
served_by_table audit
served_by_table enforce
dhcp_run interface ens6 '{interfaces: [ens6]}'
dhcp_run guest eth0 '{guests: [tap0]}'
e2e_cgroup agent agent
dhcp_run cgroup ens6 "{cgroups: [/$LAB_TAG-agent]}"
