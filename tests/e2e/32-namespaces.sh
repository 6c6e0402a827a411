#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Two containers of one cgroup, in network namespaces of their own, with the same addresses and one port: a
# request of the one admits nothing to the other, and each is reported as its own.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/odd.sh"

# Prints the datagrams that it gets: before it has asked, and up to its own answer.
twin='import os, socket, sys, time
sock = socket.socket(type=socket.SOCK_DGRAM)
sock.bind(("10.0.5.5", 5000))
sock.settimeout(10)
print("ready", flush=True)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.05)
sock.sendto(b"asked", ("10.20.0.5", 7))
heard = []
while not heard or heard[-1] != "asked":
    heard.append(sock.recv(99).decode())
print("heard", *heard, flush=True)
time.sleep(600)'
ask='import socket
sock = socket.socket(type=socket.SOCK_DGRAM)
sock.bind(("10.0.5.5", 5000))
sock.settimeout(10)
sock.sendto(b"mine", ("10.20.0.5", 7))
print(sock.recv(99).decode())'
echo='import socket
sock = socket.socket(type=socket.SOCK_DGRAM)
sock.bind(("10.20.0.5", 7))
print("ready", flush=True)
while True:
    data, name = sock.recvfrom(99)
    sock.sendto(data, name)'
# The stranger with the address of the other peer: first unasked, then an echo.
stranger='import os, socket, sys
sock = socket.socket(type=socket.SOCK_DGRAM)
sock.bind(("10.20.0.5", 7))
for i in range(3):
    sock.sendto(b"unasked", ("10.0.5.5", 5000))
open(sys.argv[1], "w").close()
while True:
    data, name = sock.recvfrom(99)
    sock.sendto(data, name)'

twin_make()
{
	local a=$LAB_TAG-twin b=$LAB_TAG-stranger
	ip netns add "$a" && ip netns add "$b" || return
	printf '%s\n' "$a" "$b" >>"$LAB_DIR/netns" # which goes with the lab, and who is in it
	ip -n "$a" link add eth0 type veth peer name eth0 netns "$b"
	ip -n "$a" addr add 10.0.5.5/8 dev eth0
	ip -n "$b" addr add 10.20.0.5/8 dev eth0
	ip -n "$a" link set eth0 up
	ip -n "$b" link set eth0 up
}

twin_in() # twin|stranger COMMAND...: the first in the cgroup
{
	local node=$1 words=()
	shift
	[ "$node" = stranger ] || words=(sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$LAB_CGROUP")
	"${words[@]}" nsenter --net="/run/netns/$LAB_TAG-$node" -- "$@"
}

e2e_begin namespaces
e2e_kind cgroup
lab_spawn echo nfs /usr/bin/python3 -c "$echo"
until_says "$work/log/echo" ready
twin_make
policy_write "$work/policy.yaml" enforce "$attach"
succeeds 'apply' fr agent apply "$work/policy.yaml"
twin_in twin /usr/bin/python3 -c "$twin" "$work/go" >"$work/log/twin" 2>&1 &
until_says "$work/log/twin" ready
equal 'the one has its answer' mine "$(lab_in agent /usr/bin/python3 -c "$ask")"
twin_in stranger /usr/bin/python3 -c "$stranger" "$work/go" >"$work/log/stranger" 2>&1 &
until_says "$work/log/twin" heard
equal 'the other hears its own answer alone' 'heard asked' "$(grep heard "$work/log/twin")"
equal 'and what came unasked is refused' '3 ingress' \
	"$(fr_ask agent '[.drops[] | select(.peer.address == "10.20.0.5" and .local.port == 5000)][0] | "\(.packets) \(.direction)"' show drops)"
flows='[.flows[] | select(.local.port == 5000)]'
equal 'there are two flows of one tuple' 2 "$(fr_ask agent "$flows | length" show flows)"
equal 'of two namespaces, and of no VLAN' 'true true' \
	"$(fr_ask agent "$flows | \"\\([.[].netns_cookie] | unique | length == 2 or . == [null]) \\(all(.[]; .vlan == null))\"" show flows)"
