#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A host that forwards, and whose netfilter redirects some of it to sockets of its own: REDIRECT, TPROXY, a
# route by mark. To the device's hook it is forwarded; at the socket it is an opening like any other. A
# published port that is another one at the socket is admitted where it came in.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/odd.sh"
. "$e2e_here/pods.sh"

# Port 9009: redirected, no rule. 9010: of the published port 8080. 9011: redirected, and a rule. 9012: TPROXY.
# 9013: by mark. 9014: a rule, direct. Arrivals at one of them are printed in their order.
sockets='import selectors, socket
selector = selectors.DefaultSelector()
for port in range(9009, 9015):
    for kind in socket.SOCK_DGRAM, socket.SOCK_STREAM:
        sock = socket.socket(socket.AF_INET6, kind)
        sock.setsockopt(socket.SOL_IP, 19, 1)
        sock.setsockopt(41, 75, 1)
        sock.bind(("::", port))
        if kind == socket.SOCK_STREAM:
            sock.listen()
        else:
            selector.register(sock, selectors.EVENT_READ, port)
print("ready", flush=True)
while True:
    for key, _ in selector.select():
        print(key.data, key.fileobj.recv(99).decode(), flush=True)'
say='import socket, sys
sock = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
for port in sys.argv[3:]:
    sock.sendto(sys.argv[2].encode(), (sys.argv[1], int(port)))'
# From one port to several addresses: conntrack gives all but the first another port at the socket.
say_twice='import socket, sys
sock = socket.socket(socket.AF_INET6 if ":" in sys.argv[2] else socket.AF_INET, socket.SOCK_DGRAM)
for address in sys.argv[2:]:
    sock.sendto(sys.argv[1].encode(), (address, 777))'

redirections()
{
	local family foreign
	for family in ip ip6; do
		foreign=10.99.0
		[ $family = ip ] || foreign=fd99:
		cat <<-NFT
			table $family redirected {
				chain turned {
					type nat hook prerouting priority -100
					iifname ens5 $family daddr { $foreign.1, $foreign.4, $foreign.5 } udp dport 777 redirect to :9009
					iifname ens5 $family daddr $foreign.1 tcp dport 777 redirect to :9009
					iifname ens5 $family daddr $foreign.1 udp dport 778 redirect to :9011
					iifname ens5 udp dport 8080 redirect to :9010
				}
				chain marked {
					type filter hook prerouting priority -150
					iifname ens5 $family daddr $foreign.3 meta mark set 1
				}
			}
		NFT
	done | sed 's/fd99:\.\([0-9]\)/fd99::\1/g'
}

tproxies()
{
	redirections | sed 's/chain marked/chain taken/; /type nat/,/8080/d; /chain turned/,/}/d;
		s/\(.*\)\.3 meta mark set 1/\1.2 meta l4proto { tcp, udp } tproxy to :9012 meta mark set 1/
		s/fd99::3 meta mark set 1/fd99::2 meta l4proto { tcp, udp } tproxy to :9012 meta mark set 1/
		s/^table \(.*\) redirected/table \1 taken/'
}

lab_redirects()
{
	lab_enter agent sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward
		echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
	ip -n "$LAB_TAG-router" route add 10.99.0.0/24 via 10.0.5.5
	ip -n "$LAB_TAG-router" route add fd99::/64 via fd00:5::5
	for family in -4 -6; do
		ip $family -n "$LAB_TAG-agent" rule add fwmark 1 lookup 100
		ip $family -n "$LAB_TAG-agent" route add local default dev lo table 100
	done
	redirections | lab_enter agent nft -f - || {
		skip redirected 'this kernel or host has no NAT of nftables'
		exit 0
	}
	ways='9009 9013' tproxy=
	if tproxies | lab_enter agent nft -f - 2>"$work/log/tproxy"; then ways="$ways 9012" tproxy=yes; else
		skip 'TPROXY' 'this kernel has none'
	fi
}

# To every port that is redirected to a socket without a rule, by a name of its own.
speak() # NAME
{
	local address
	for address in 10.99.0 fd99:; do
		lab_in bastion /usr/bin/python3 -c "$say" "$(end "$address" 1)" "$1" 777
		[ -z "$tproxy" ] || lab_in bastion /usr/bin/python3 -c "$say" "$(end "$address" 2)" "$1" 779
		lab_in bastion /usr/bin/python3 -c "$say" "$(end "$address" 3)" "$1" 9013
		lab_in bastion /usr/bin/python3 -c "$say_twice" "$1-twice" "$(end "$address" 4)" "$(end "$address" 5)"
	done
}
end() { case $1 in *:) echo "$1:$2" ;; *) echo "$1.$2" ;; esac; } # NETWORK NUMBER

# And openings that a rule admits, directly, published, redirected; wait for the last. A port published under
# another one is admitted when nothing of its sender has passed as forwarded for a moment.
speak_admitted() # NAME
{
	sleep 1
	lab_in bastion /usr/bin/python3 -c "$say" fd00:5::5 "$1-published6" 8080
	lab_in bastion /usr/bin/python3 -c "$say" 10.0.5.5 "$1-published" 8080
	lab_in bastion /usr/bin/python3 -c "$say" 10.99.0.1 "$1-redirected" 778
	lab_in bastion /usr/bin/python3 -c "$say" fd99::1 "$1-redirected6" 778
	lab_in bastion /usr/bin/python3 -c "$say" 10.0.5.5 "$1-direct" 9014
	until_says "$work/log/sockets" "$1-direct"
}

heard() { grep -- " $1\$" "$work/log/sockets" | cut -d' ' -f1 | sort -u | tr '\n' ' ' | sed 's/ $//'; } # NAME

told() # would-drop|drop PORT PROTOCOL: by both families
{
	fr_ask agent "[.drops[] | select(.verdict == \"$1\" and .direction == \"ingress\" and .protocol == \"$3\" and
		.local.port == $2) | .peer.address] | unique | join(\" \")" show drops
}

redirected_run() # MODE OPTIONS...
{
	local mode=$1 verdict=would-drop port way="$1${*:2}"
	[ "$mode" = audit ] || verdict=drop
	policy_write "$work/p.yaml" "$mode" '{interfaces: [ens5]}'
	sed -i 's|^rules:|rules:\n  - {id: web, direction: ingress, peer: any, ports: [8080/udp, 9011/udp, 9014/udp], action: allow}|' \
		"$work/p.yaml"
	succeeds "$way: apply" fr agent apply "$work/p.yaml" "${@:2}"
	equal "$way: the hook is there" 'true sk_lookup' \
		"$(fr_ask agent '[.policies[].hooks[] | select(.name == "local sockets")][] | "\(.alive) \(.hook)"' status)"
	speak "$way"
	for port in 10.99.0.1 fd99::1; do
		peer_try bastion tcp $port 777 --wait 0.3 >/dev/null
	done
	speak_admitted "$way"
	if [ "$mode" = audit ]; then
		equal "$way: nothing is dropped" "$(tr ' ' '\n' <<<"$ways" | sort | xargs)" "$(heard "$way")"
		equal "$way: nor what conntrack gives another port" 9009 "$(heard "$way-twice")"
	else
		equal "$way: nothing gets to a socket without a rule" '' "$(heard "$way")"
		equal "$way: nor what conntrack gives another port" '' "$(heard "$way-twice")"
	fi
	for port in $ways; do
		equal "$way: it is reported, port $port" '10.0.9.5 fd00:9::5' "$(told $verdict $port udp)"
	done
	equal "$way: and TCP" '10.0.9.5 fd00:9::5' "$(told $verdict 9009 tcp)"
	for port in redirected:9011 redirected6:9011 published:9010 published6:9010 direct:9014; do
		equal "$way: a rule admits what is ${port%:*}" "${port#*:}" "$(heard "$way-${port%:*}")"
	done
	equal "$way: and it is not told" '' "$(told $verdict 9010 udp)$(told $verdict 9011 udp)"
	succeeds "$way: detach" fr agent detach
}

e2e_begin redirected
lab_redirects
lab_spawn sockets agent /usr/bin/python3 -c "$sockets"
until_says "$work/log/sockets" ready
redirected_run audit
redirected_run enforce
redirected_run enforce --no-tcx
speak detached
speak_admitted detached
equal 'detached: all of it arrives' "$(tr ' ' '\n' <<<"$ways" | sort | xargs)" "$(heard detached)"
