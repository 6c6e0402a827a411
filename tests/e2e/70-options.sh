#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# IPv4 options and IPv6 extension headers, on the packets of real programs and on made-up ones.
#
# lesson: other firewalls took options and extension headers for the ports behind them, so that a sender
# that put an allowed port's number there got in; or every packet that had any was lost.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/odd.sh"

# Options that read like a datagram to port 514 when one takes them for the transport header.
fake4=0101020201010101 fake6=020201010100

options_of_programs()
{
	local peer4=10.0.5.10 peer6=fd00:5::10 headers=hop-by-hop,destination
	tells 'UDP with an IPv4 option' ok "$party" sock-client udp $peer4 7 --option record-route
	tells 'TCP with an IPv4 option' ok "$party" sock-client tcp $peer4 7 --option record-route
	tells 'UDP with extension headers' ok "$party" sock-client udp $peer6 7 --option $headers
	tells 'TCP with extension headers' ok "$party" sock-client tcp $peer6 7 --option $headers
	tells 'an option opens no other port' "$outward" "$party" sock-client udp $peer4 9 --option record-route
	tells 'nor do extension headers' "$outward" "$party" sock-client tcp $peer6 9 --option $headers
	matches "$kind, $mode: ping records its route" 'RR:' "$(lab_in "$party" ping -nR -c1 -W2 $peer4 2>&1)"
}

options_from_outside()
{
	tells 'options in front of an allowed port' ok vpc raw-client udp 10.0.5.10 "$party4" 514 --options $fake4
	tells 'options that play an allowed port' "$inward" vpc raw-client udp 10.0.5.10 "$party4" 515 --options $fake4
	tells 'an extension header that plays one' "$inward" \
		vpc raw-client udp fd00:5::10 "$party6" 515 --chain 1 --hidden $fake6
	at_least "$kind, $mode: both are told with their real port" 1 "$(drops_of "$host" $told ingress 10.0.5.10 515)"
	at_least "$kind, $mode: over IPv6 too" 1 "$(drops_of "$host" $told ingress fd00:5::10 515)"
	tells 'a chain of six headers' ok vpc raw-client udp fd00:5::10 "$party6" 514 --chain 6
	tells 'a chain of seven' "$inward" vpc raw-client udp fd00:5::10 "$party6" 514 --chain 7
	equal "$kind, $mode: it has a reason of its own" 1 "$(reason_of $told extension-headers)"
}

options_run() # KIND MODE
{
	odd_kind "$1"
	odd_apply "$2"
	options_of_programs
	options_from_outside
	succeeds "$kind, $mode: detach" fr "$host" detach
}

e2e_begin options
odd_servers_start
options_run interface audit
for kind in $odd_kinds; do
	options_run "$kind" enforce
done
