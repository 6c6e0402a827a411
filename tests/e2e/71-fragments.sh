#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Fragments: of real datagrams, DNS answers and NFS over UDP that are larger than the link, and made-up
# ones, out of order, tiny, overlapping or without a first.
#
# lesson: elsewhere second fragments were dropped, and with them every DNS or SNMP answer above the MTU;
# or they passed unread.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/odd.sh"

# Twenty strings of 200 letters: an answer of more than 4,000 bytes. NODE ADDRESS...
big_dns_start()
{
	local node=$1 address list=() text i
	shift
	for address in "$@"; do
		list+=("--listen-address=$address")
	done
	text=big.lab.test
	for i in $(seq 20); do
		text+=",$(printf '%0200d' "$i")"
	done
	lab_spawn big-dns "$node" dnsmasq -k -C /dev/null --no-resolv --no-hosts --bind-interfaces "${list[@]}" \
		--pid-file= --user=root --log-facility=- --edns-packet-max=4096 --txt-record="$text"
	lab_listens "$node" u '*:53'
}

# The size of the answer in one datagram: NODE RESOLVER
big_dns_ask()
{
	lab_in "$1" timeout -s KILL 60 dig +bufsize=4096 +notcp +ignore +time=30 +tries=1 "@$2" big.lab.test TXT |
		awk '/MSG SIZE/ { print $NF } /flags:.* tc/ { print "truncated" }'
}

# Of one datagram from the endpoint, to a port that is allowed and to its neighbour. SOURCE PARTY
fragments_made_up()
{
	local from=$1 to=$2
	local ask="vpc raw-client udp $from $to"
	tells "$to: in order" ok $ask 514 --cuts 32,48
	tells "$to: the last first" ok $ask 514 --cuts 32,48 --order 2,1,0
	tells "$to: twice" ok $ask 514 --cuts 32,48 --order 0,1,0,1,2
	tells "$to: as small as they can be" ok $ask 514 --cuts 8,16,24,32
	tells "$to: without the first" timeout $ask 514 --cuts 32 --order 1
	tells "$to: to a port that is not allowed" "$inward" $ask 515 --cuts 32,48
	tells "$to: the same, backwards" "$inward" $ask 515 --cuts 32,48 --order 2,1,0
	at_least "$kind, $mode: $to: told with their port" 1 "$(drops_of "$host" $told ingress "$from" 515)"
	[ "$mode" = enforce ] || return 0
	# A second first for another port: had it passed, the kernel would have thrown away the datagram, or
	# worse. A hook on a cgroup sees whole datagrams, after the kernel has done just that.
	[ "$kind" = cgroup ] || tells "$to: a second first for another port does no harm" ok $ask 514 --cuts 32 --order 0,x515,1
	[ "$kind" = cgroup ] || tells "$to: nor does it in front" ok $ask 514 --cuts 32 --order x515,0,1
	tells "$to: and never arrives there" timeout $ask 514 --cuts 32 --order x515,1
}

# TCP without its flags in the first fragment, or with another one that would overwrite them.
fragments_of_tcp() # SOURCE PARTY
{
	local ask="vpc raw-client syn $1 $2" before=0 cut=$inward
	[[ $1 != *:* ]] || cut=timeout # IPv6 itself has no such fragments
	tells "$2: an opening whose first fragment has the whole header" ok $ask 514 --cuts 24
	[ "$kind" != cgroup ] || return 0
	before=$(reason_of $told malformed)
	tells "$2: an opening that is cut through its header" "$cut" $ask 514 --cuts 8,16
	at_least "$kind, $mode: $2: both parts of the header are malformed" $((before + 2)) "$(reason_of $told malformed)"
}

# A stranger's later fragments, and on the way out: those of a datagram whose first was never judged.
fragments_in_vain()
{
	local before
	[ "$kind" != cgroup ] || return 0
	before=$(reason_of $told fragment)
	tells "a stranger's later fragment" timeout intruder raw-client udp 10.66.0.66 "$party4" 514 --cuts 32 --order 1
	tells "over IPv6" timeout intruder raw-client udp fd00:66::66 "$party6" 514 --cuts 32 --order 1
	equal "$kind, $mode: is refused as such" 2 "$(($(reason_of $told fragment) - before))"
	tells 'on the way out the first leads' ok "$party" raw-client udp "$party4" 10.0.5.10 7 --cuts 32
	tells 'over IPv6 too' ok "$party" raw-client udp "$party6" fd00:5::10 7 --cuts 32
	tells 'a later one that goes before it is lost' "$outward" "$party" raw-client udp "$party4" 10.0.5.10 7 --cuts 32 --order 1,0
	tells 'over IPv6 as well' "$outward" "$party" raw-client udp "$party6" fd00:5::10 7 --cuts 32 --order 1,0
}

# Datagrams of real programs: the kernel fragments them.
fragments_real()
{
	local peer
	for peer in 10.0.5.10 fd00:5::10; do
		tells "8 KB to $peer and back" ok "$party" sock-client udp $peer 7 --size 8192
		tells "8 KB to a port of $peer that is not allowed" "$outward" "$party" sock-client udp $peer 9 --size 8192
	done
	for peer in "$party4 --bind 10.0.5.10" "$party6 --bind fd00:5::10"; do
		tells "8 KB to ${peer% --*} and back" ok vpc sock-client udp ${peer/ / 514 } --size 8192
		tells "8 KB to a port of ${peer% --*} that is not allowed" "$inward" \
			vpc sock-client udp ${peer/ / 515 } --size 8192
	done
	at_least "$kind, $mode: a DNS answer in fragments" 4000 "$(big_dns_ask "$party" 10.0.0.2)"
	at_least "$kind, $mode: over IPv6" 4000 "$(big_dns_ask "$party" fd00:0:0:1::2)"
	equal "$kind, $mode: NFS over UDP, 8 KB written and read" 'wrote 8192 read 8192' \
		"$(tool "$party" nfs-udp 10.20.0.5 "$work/nfs-nfs/export" odd.dat 8192 2>&1)"
	equal "$kind, $mode: nothing of DNS and NFS is refused" '' \
		"$(fr_ask "$host" '.drops[] | select(.peer.port == 53 or .peer.port == 2049) | .reason' show drops)"
}

fragments_run() # KIND MODE
{
	odd_kind "$1"
	odd_apply "$2" '
  - {id: dns, direction: egress, peer: [10.0.0.2, "fd00:0:0:1::2"], ports: [53/udp], action: allow}' "
use:
  - table: aws-datasync
    edition: 2024-09
    as: agent
    set: {region: us-east-2, endpoint: vpc, storage: [nfs]}
    peers: {nfs-server: [10.20.0.5], vpc-endpoint: [10.0.5.20], task-interface: [10.0.5.21]}
  - {table: nfsv3, as: client, set: {mountd-port: 635}, peers: {nfs-server: [10.20.0.5]}}"
	fragments_made_up 10.0.5.10 "$party4"
	# The code is one for devices of every kind: IPv6 on one of them.
	[ "$kind" != interface ] || fragments_made_up fd00:5::10 "$party6"
	fragments_of_tcp 10.0.5.10 "$party4"
	fragments_of_tcp fd00:5::10 "$party6"
	fragments_in_vain
	fragments_real
	succeeds "$kind, $mode: detach" fr "$host" detach
}

e2e_begin fragments
odd_servers_start
big_dns_start bastion 10.0.0.2 fd00:0:0:1::2
nfs_start nfs v3
fragments_run interface audit
for kind in $odd_kinds; do
	fragments_run "$kind" enforce
done
